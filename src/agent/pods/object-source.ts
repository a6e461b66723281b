/** ConfigMaps and Secrets as the pods that use them read them. */
import { admitConfigMap, admitSecret } from '../../manifest/admit-data.ts';
import type { ConfigMap, Secret } from '../../manifest/types/objects.ts';
import type { ObjectSource } from '../../pods/ports.ts';
import type { Store } from '../../store/store.ts';

/** What is in force, read from the store each time: pods ask when they start and when something changed. */
export function objectSource({ objects }: Pick<Store, 'objects'>): ObjectSource {
  const read = (kind: 'configmaps' | 'secrets', namespace: string, name: string): unknown => {
    const stored = objects.effectiveOne(kind, namespace, name);
    return stored === undefined || stored.deletionTimestamp !== undefined ? undefined : JSON.parse(stored.manifest);
  };
  return {
    configMap: (namespace, name) => accepted<ConfigMap>(admitConfigMap(read('configmaps', namespace, name))),
    secret: (namespace, name) => accepted<Secret>(admitSecret(read('secrets', namespace, name))),
  };
}

/** What was valid when it came and no longer is counts as not there. */
function accepted<T>(result: { object: T } | { errors: unknown }): T | undefined {
  return 'object' in result ? result.object : undefined;
}
