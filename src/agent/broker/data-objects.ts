/** ConfigMaps and Secrets between the broker, the store and the pods that use them. */
import type { IntakeResult } from '../../broker/inbox.ts';
import type { DesiredKey, Topics } from '../../broker/topics.ts';
import { admitConfigMap, admitSecret } from '../../manifest/admit-data.ts';
import type { ConfigMap, Secret } from '../../manifest/types.ts';
import type { ObjectSource } from '../../pods/ports.ts';
import type { Store } from '../../store/store.ts';
import type { Reports } from './reports.ts';
import { buryTombstones } from './tombstones.ts';

export type DataKind = 'configmaps' | 'secrets';

/** What is in force, read from the store each time: pods ask when they start and when something changed. */
export function objectSource({ objects }: Pick<Store, 'objects'>): ObjectSource {
  const read = (kind: DataKind, namespace: string, name: string): unknown => {
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

interface DataIntake {
  store: Store;
  topics: Topics;
  told: Reports;
  /** Pods that use the object look at it again. */
  changed: () => void;
}

/**
 * A ConfigMap or Secret arrived and is durable. There is no status topic for them: a refusal is an event, as is
 * everything else that happens to objects nobody waits for.
 */
export function dataIntake(
  { action, key, errors }: IntakeResult & { key: DesiredKey & { kind: DataKind } },
  { store, topics, told, changed }: DataIntake,
): void {
  const { kind, namespace, name } = key;
  if (action === 'rejected' || action === 'stale') {
    const message = errors.map(({ path, reason }) => (path ? `${path}: ${reason}` : reason)).join('; ');
    told.recordObjectEvent({ kind, namespace, name, reason: 'InvalidObject', message });
    return;
  }
  // Carried out at once: nothing has to end first.
  buryTombstones({ store, topics }, kind, namespace, name);
  changed();
}
