/** The variables of a container about to start, with what they are taken from. */
import { findContainer } from '../../manifest/containers.ts';
import type { PodFacts } from '../../manifest/downward.ts';
import { containerVariablesFrom } from '../../manifest/env-sources.ts';
import { formatNano } from '../../manifest/quantity.ts';
import type { Allocatable } from '../admission/admission.ts';
import { readEnvFile } from '../volumes/env-file.ts';
import type { Incarnation } from '../worker/incarnation.ts';

/** Throws EnvSourceError for what is missing; keys that are no names of variables are told by an event. */
export const containerVariables = (pod: Incarnation, name: string): ReadonlyMap<string, string> => {
  const { parts, record } = pod;
  const container = findContainer(record.pod.spec, name);
  if (container === undefined) throw new Error(`the pod has no container ${name}`);
  const objects = {
    configMap: (object: string) => parts.objects.configMap(record.namespace, object),
    secret: (object: string) => parts.objects.secret(record.namespace, object),
  };
  const { hostIP, name: nodeName, allocatable } = parts.node;
  const podIP = record.pod.spec.hostNetwork ? hostIP() : record.ip;
  const facts: PodFacts = {
    uid: record.uid,
    nodeName,
    hostIP: hostIP(),
    podIP,
    allocatable: quantities(allocatable()),
  };
  const { variables, skipped } = containerVariablesFrom({
    pod: record.pod,
    container,
    objects,
    facts,
    file: (volume, path) => readEnvFile(pod.volumePaths[volume] as string, path),
  });
  for (const { source, keys } of skipped) {
    const message = `Keys [${keys.join(', ')}] from the EnvFrom ${source} were skipped since they are considered invalid environment variable names.`;
    pod.event('Warning', 'InvalidEnvironmentVariableNames', message, name);
  }
  return variables;
};

/** Allocatable as quantities, which is how a manifest speaks of resources. */
export const quantities = ({ cpuMilli, memoryBytes, storageBytes }: Allocatable): PodFacts['allocatable'] => ({
  cpu: formatNano(BigInt(Math.floor(cpuMilli)) * 1_000_000n),
  memory: String(Math.floor(memoryBytes)),
  'ephemeral-storage': String(Math.floor(storageBytes)),
});
