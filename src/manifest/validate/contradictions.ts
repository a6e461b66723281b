/** What is right by itself and wrong together, across a pod. Run on a spec that is otherwise valid. */
import type { Container } from '../types/container.ts';
import type { PodSpec } from '../types/pod.ts';
import { type Issues, show } from './issues.ts';

export function checkContradictions(issues: Issues, spec: PodSpec): void {
  checkNonRoot(issues, spec);
  checkContainerNames(issues, spec);
  checkFileVolumes(issues, spec);
}

/** The container's word wins over the pod's, field by field; so does the blame. */
function checkNonRoot(issues: Issues, spec: PodSpec): void {
  const blamed = new Set<string>();
  for (const [path, { securityContext: own }] of everyContainer(spec)) {
    const nonRoot = own?.runAsNonRoot ?? spec.securityContext?.runAsNonRoot;
    const user = own?.runAsUser ?? spec.securityContext?.runAsUser;
    if (nonRoot !== true || user !== 0) continue;
    const at = `${own?.runAsUser === undefined ? 'spec' : path}.securityContext.runAsUser`;
    if (!blamed.has(at)) issues.invalid(at, 0, 'must not be 0 (root) when runAsNonRoot is true');
    blamed.add(at);
  }
}

/** Every `resourceFieldRef.containerName` is the name of a container. */
function checkContainerNames(issues: Issues, spec: PodSpec): void {
  const names = new Set(everyContainer(spec).map(([, { name }]) => name));
  const check = (path: string, name: string | undefined) => {
    if (name !== undefined && !names.has(name))
      issues.error(`${path}.resourceFieldRef.containerName`, `Not found: ${show(name)}: there is no such container`);
  };
  for (const [path, { env }] of everyContainer(spec))
    for (const [i, { valueFrom }] of env.entries())
      check(`${path}.env[${i}].valueFrom`, valueFrom?.resourceFieldRef?.containerName);
  for (const [i, { downwardAPI, projected }] of spec.volumes.entries()) {
    const at = `spec.volumes[${i}]`;
    for (const [j, file] of (downwardAPI?.items ?? []).entries())
      check(`${at}.downwardAPI.items[${j}]`, file.resourceFieldRef?.containerName);
    for (const [j, source] of (projected?.sources ?? []).entries())
      for (const [k, file] of (source.downwardAPI?.items ?? []).entries())
        check(`${at}.projected.sources[${j}].downwardAPI.items[${k}]`, file.resourceFieldRef?.containerName);
  }
}

/** Every `fileKeyRef.volumeName` is an emptyDir: the containers of the pod, and nobody else, wrote what is in it. */
function checkFileVolumes(issues: Issues, spec: PodSpec): void {
  for (const [path, { env }] of everyContainer(spec))
    for (const [i, { valueFrom }] of env.entries()) {
      const name = valueFrom?.fileKeyRef?.volumeName;
      if (name === undefined) continue;
      const at = `${path}.env[${i}].valueFrom.fileKeyRef.volumeName`;
      const volume = spec.volumes.find((candidate) => candidate.name === name);
      if (volume === undefined) issues.error(at, `Not found: ${show(name)}: there is no such volume in spec.volumes`);
      else if (volume.emptyDir === undefined) issues.invalid(at, name, 'must be an emptyDir');
    }
}

function everyContainer({
  initContainers,
  containers,
  ephemeralContainers = [],
}: PodSpec): [path: string, container: Container][] {
  return [
    ...initContainers.map((container, i): [string, Container] => [`spec.initContainers[${i}]`, container]),
    ...containers.map((container, i): [string, Container] => [`spec.containers[${i}]`, container]),
    ...ephemeralContainers.map((container, i): [string, Container] => [`spec.ephemeralContainers[${i}]`, container]),
  ];
}
