/** Starting one container. */
import { findContainer } from '../../manifest/containers.ts';
import { nextRetry } from '../backoff.ts';
import { asRunnerError, failureMessage, messageOf, startFailureMessage } from '../failures.ts';
import { attemptPhase, confirm, countRestart, end, endedAtStart, launch, unlaunch } from '../history.ts';
import type { Incarnation } from '../incarnation.ts';
import { containerLabels } from '../labels.ts';
import { identityPaths, logPath, terminationLogPath } from '../paths.ts';
import type { ContainerSpec, Image, Sandbox } from '../ports.ts';
import { historyOf, runOf } from '../state.ts';
import { rfc3339 } from '../status/rfc3339.ts';
import { hostnameOf } from './hostname.ts';
import { launchFacts } from './launch.ts';
import { containerVariables } from './variables.ts';

/** The shim that was to do it is gone, or hangs and may yet do it: the sandbox is lost; it is not a failed start. */
const SHIM_GONE = ['ESHIMLOST', 'ECONNRESET', 'EPIPE', 'ENOTCONN', 'ECONNREFUSED', 'ETIMEDOUT'];

/** A start that cannot even be tried; uses up no attempt. `reason` is the Kubernetes waiting reason. */
class NotStartable extends Error {
  readonly reason: 'CreateContainerConfigError' | 'CreateContainerError';

  constructor(reason: NotStartable['reason'], message: string) {
    super(message);
    this.name = 'NotStartable';
    this.reason = reason;
  }
}

/** Starts the container's next attempt, whose number is durable before the runner is asked. */
export const startContainer = (pod: Incarnation, name: string): void => {
  const { sandbox } = pod;
  const run = runOf(pod.state, name);
  const image = run.image.resolved;
  if (sandbox === undefined || image === undefined) return;
  run.starting = true;
  pod.operate(async () => {
    try {
      commitAttempt(pod, name, image);
      const spec = await containerSpec(pod, sandbox, name, image);
      await launchOne(pod, sandbox, spec, image);
    } catch (error) {
      const failure =
        error instanceof NotStartable ? error : new NotStartable('CreateContainerError', messageOf(error));
      const { reason, message } = failure;
      run.config = { failure: { reason, message }, retry: nextRetry(run.config?.retry, pod.now()) };
      pod.change(name, unlaunch);
      pod.event('Warning', 'Failed', `${reason}: ${message}`, name);
    } finally {
      run.starting = false;
      // The next start asks again: the image may have been replaced or removed in between.
      run.image = { phase: 'idle' };
    }
  });
};

const commitAttempt = (pod: Incarnation, name: string, image: Image): void => {
  const history = historyOf(pod.record, name);
  const durable = attemptPhase(history) === 'launched';
  const { stopSignal } = image.config;
  const facts = launchFacts(pod.record, name, pod.record.sandboxes - 1);
  pod.change(name, (before) => ({ ...launch(before, facts), imageID: image.id, ...(stopSignal && { stopSignal }) }));
  if (!durable) pod.saver.save();
};

/** Directories, volumes and configuration of the attempt. Throws NotStartable. */
const containerSpec = async (
  pod: Incarnation,
  sandbox: Sandbox,
  name: string,
  image: Image,
): Promise<ContainerSpec> => {
  const { parts, record } = pod;
  const { launched: attempt } = historyOf(record, name);
  const run = runOf(pod.state, name);
  const subject = { namespace: record.namespace, pod: record.name, container: name };
  const orRefuse = (reason: NotStartable['reason']) => (error: unknown) => {
    throw new NotStartable(reason, failureMessage(error, subject));
  };
  const variables = attempted(
    () => containerVariables(pod, name),
    (error) => {
      // Without the subject: the kubelet's words, at the container they are about.
      throw new NotStartable('CreateContainerConfigError', messageOf(error));
    },
  );
  const [overlay, mounts] = await Promise.all([
    parts.files.prepareAttempt(record, name, attempt).catch(orRefuse('CreateContainerError')),
    parts.volumes.mounts(record.pod, name, pod.volumePaths, variables).catch(orRefuse('CreateContainerConfigError')),
    run.residue ? sandbox.remove(name).catch(orRefuse('CreateContainerError')) : undefined,
  ]);
  run.residue = false;
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
    config: attempted(build, orRefuse('CreateContainerConfigError')),
    log: { path: logPath(parts.paths, record, name, attempt), ...parts.logLimits },
    labels: containerLabels(historyOf(record, name)),
  };
};

const attempted = <T>(run: () => T, onError: (error: unknown) => never): T => {
  try {
    return run();
  } catch (error) {
    return onError(error);
  }
};

const launchOne = async (pod: Incarnation, sandbox: Sandbox, spec: ContainerSpec, image: Image): Promise<void> => {
  const { name, attempt } = spec;
  const run = runOf(pod.state, name);
  pod.change(name, (history) => countRestart(history, pod.now()));
  try {
    const started = await sandbox.start(spec);
    delete run.config;
    // It may have ended already: the event can overtake the answer.
    pod.change(name, (history) =>
      history.ended?.attempt === attempt ? history : confirm(history, attempt, started.startedAt, started.user),
    );
    pod.event('Normal', 'Created', `Created container: ${name}`, name);
    pod.event('Normal', 'Started', `Started container ${name}`, name);
  } catch (error) {
    // Nothing was wrong with the start but who it would have been.
    const runner = asRunnerError(error);
    if (runner?.step === 'run-as-non-root')
      throw new NotStartable('CreateContainerConfigError', `${runner.detail} ${kubeletSubject(pod, name)}`);
    startFailed(pod, spec, { error, image });
    return;
  }
  if (attempt > 0) void dropOldAttempts(pod, name, attempt);
};

const kubeletSubject = ({ record: { name, namespace, uid } }: Incarnation, container: string): string =>
  `(pod: "${name}_${namespace}(${uid})", container: ${container})`;

const startFailed = (
  pod: Incarnation,
  { name, attempt, config }: ContainerSpec,
  { error, image }: { error: unknown; image: Image },
): void => {
  if (SHIM_GONE.includes((error as { code?: string } | undefined)?.code ?? '')) {
    const failure = { reason: 'SandboxLost', message: `sandbox lost: ${messageOf(error)}` };
    if (pod.state.sandbox.phase === 'ready') pod.state.sandbox = { phase: 'lost', failure };
    // The runner may have got as far as running it: the attempt stays used up and ends unseen with the sandbox.
    pod.change(name, (history) => (history.ended?.attempt === attempt ? history : confirm(history, attempt, now(pod))));
    return;
  }
  const { namespace, name: podName } = pod.record;
  const [command] = (config as { process?: { args?: string[] } }).process?.args ?? [];
  const subject = { namespace, pod: podName, container: name };
  const message = startFailureMessage(error, { subject, image: image.ref, command });
  const ended = endedAtStart(attempt, { message, at: now(pod), finishedMono: pod.now() });
  pod.change(name, (history) => end(history, ended));
  pod.saver.markUrgent();
  pod.event('Warning', 'Failed', `Error: ${message}`, name);
};

const now = (pod: Incarnation): string => rfc3339(pod.parts.clock.now());

/** Upper directories of earlier attempts are of no use to anybody; failing to remove them is no reason to stop. */
const dropOldAttempts = async (pod: Incarnation, name: string, attempt: number): Promise<void> => {
  const { files, log } = pod.parts;
  await files
    .dropOldAttempts(pod.record.uid, name, attempt)
    .catch((error: unknown) => log.warn({ err: error, uid: pod.record.uid }, 'old container files not removed'));
};
