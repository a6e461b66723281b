/** Which ConfigMaps and Secrets a pod reads. Pure. */
import { allContainers } from '../../manifest/containers.ts';
import type { Pod } from '../../manifest/types/pod.ts';

export type ObjectKind = 'configmaps' | 'secrets';

/** Whether a volume or a variable of the pod comes from the object. */
export const usesObject = (pod: Pod, kind: ObjectKind, name: string): boolean =>
  inVolumes(pod, kind).includes(name) || inEnvironments(pod, kind).includes(name);

const inVolumes = ({ spec }: Pod, kind: ObjectKind): (string | undefined)[] =>
  spec.volumes.flatMap(({ configMap, secret, projected }) => {
    const sources = projected?.sources ?? [];
    return kind === 'configmaps'
      ? [configMap?.name, ...sources.map((source) => source.configMap?.name)]
      : [secret?.secretName, ...sources.map((source) => source.secret?.name)];
  });

const inEnvironments = ({ spec }: Pod, kind: ObjectKind): (string | undefined)[] =>
  allContainers(spec).flatMap(({ env, envFrom }) =>
    kind === 'configmaps'
      ? [
          ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
          ...envFrom.map((from) => from.configMapRef?.name),
        ]
      : [...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name), ...envFrom.map((from) => from.secretRef?.name)],
  );
