/** Directories, volumes and configuration of a container's attempt: all that can be made before there is a sandbox. */
import { findContainer } from '../../manifest/containers.ts';
import { podNamespaces } from '../../manifest/oci/namespaces.ts';
import type { Pod } from '../../manifest/types/pod.ts';
import { failureMessage, messageOf, type Subject } from '../failures.ts';
import { identityPaths, logPath, terminationLogPath } from '../files/paths.ts';
import type { ContainerSpec, Image } from '../ports.ts';
import { historyOf, isRunning, runOf } from '../state.ts';
import type { Incarnation } from '../worker/incarnation.ts';
import { hostnameOf } from './hostname.ts';
import { containerVariables } from './variables.ts';

type PreparedContainer = Omit<ContainerSpec, 'labels'>;

/** Of one start: good for that image and that manifest only. */
export interface Preparation {
  image: Image;
  pod: Pod;
  container: Promise<PreparedContainer>;
}

/** A start that cannot even be tried; uses up no attempt. `reason` is the Kubernetes waiting reason. */
export class NotStartable extends Error {
  readonly reason: 'CreateContainerConfigError' | 'CreateContainerError';

  constructor(reason: NotStartable['reason'], message: string) {
    super(message);
    this.name = 'NotStartable';
    this.reason = reason;
  }
}

/**
 * Begins what the launched attempts need whose image is there, while their sandbox is being built. Resolves when it is
 * over; what came of it is told when they start.
 */
export const prepareContainers = async (pod: Incarnation, names: string[]): Promise<void> => {
  pod.prepared.clear();
  for (const name of names) {
    const image = runOf(pod.state, name).image.resolved;
    if (image) pod.prepared.set(name, { image, pod: pod.record.pod, container: prepareContainer(pod, name, image) });
  }
  await Promise.allSettled([...pod.prepared.values()].map(({ container }) => container));
};

/** What was prepared for this start, or is now. Throws NotStartable. */
export const preparedContainer = (pod: Incarnation, name: string, image: Image): Promise<PreparedContainer> => {
  const early = pod.prepared.get(name);
  pod.prepared.delete(name);
  const isFit = early?.image.id === image.id && early.pod === pod.record.pod;
  return isFit ? early.container : prepareContainer(pod, name, image);
};

const prepareContainer = async (pod: Incarnation, name: string, image: Image): Promise<PreparedContainer> => {
  const { parts, record } = pod;
  const { launched: attempt } = historyOf(record, name);
  const subject = subjectOf(pod, name);
  const variables = attempted(
    () => containerVariables(pod, name),
    (error) => {
      // Without the subject: the kubelet's words, at the container they are about.
      throw new NotStartable('CreateContainerConfigError', messageOf(error));
    },
  );
  const [overlay, mounts] = await Promise.all([
    parts.files.prepareAttempt(record, name, attempt).catch(orRefuse('CreateContainerError', subject)),
    parts.volumes
      .mounts(record.pod, name, pod.volumePaths, variables)
      .catch(orRefuse('CreateContainerConfigError', subject)),
  ]);
  const podIP = record.pod.spec.hostNetwork ? parts.node.hostIP() : record.ip;
  const build = () =>
    parts.oci({
      pod: record.pod,
      uid: record.uid,
      container: name,
      attempt,
      image,
      variables,
      hostname: hostnameOf(record.pod, parts.node.name),
      ...(podIP !== undefined && { podIP }),
      cgroupsPath: `${parts.cgroupRoot}/pod${record.uid}/${name}`,
      terminationLog: {
        source: terminationLogPath(parts.paths, record.uid, name, attempt),
        destination: findContainer(record.pod.spec, name)?.terminationMessagePath ?? '/dev/termination-log',
      },
      upperDir: overlay.upper,
      workDir: overlay.work,
      mounts,
      etc: identityPaths(parts.paths, record.uid),
    });
  return {
    name,
    attempt,
    config: attempted(build, orRefuse('CreateContainerConfigError', subject)),
    log: { path: logPath(parts.paths, record, name, attempt), ...parts.logLimits },
    ...pidTarget(pod, name),
  };
};

/** Where containers have a PID namespace each, an ephemeral one may join another's. */
const pidTarget = ({ record, state }: Incarnation, name: string): Pick<ContainerSpec, 'pidTarget'> => {
  const { ephemeralContainers = [] } = record.pod.spec;
  const target = ephemeralContainers.find((container) => container.name === name)?.targetContainerName;
  if (target === undefined) return {};
  if (!isRunning(state, target))
    throw new NotStartable('CreateContainerConfigError', `unable to find target container ${target}: it does not run`);
  return podNamespaces(record.pod).pid === 'container' ? { pidTarget: target } : {};
};

export const subjectOf = ({ record }: Incarnation, container: string): Subject => ({
  namespace: record.namespace,
  pod: record.name,
  container,
});

export const orRefuse = (reason: NotStartable['reason'], subject: Subject) => (error: unknown) => {
  throw new NotStartable(reason, failureMessage(error, subject));
};

const attempted = <T>(run: () => T, onError: (error: unknown) => never): T => {
  try {
    return run();
  } catch (error) {
    return onError(error);
  }
};
