/** Starting one container. */

import { containerLabels } from '../adoption/labels.ts';
import { nextRetry } from '../backoff.ts';
import { asRunnerError, messageOf, startFailureMessage } from '../failures.ts';
import { attemptPhase, confirm, countRestart, end, endedAtStart, launch, unlaunch } from '../history.ts';
import type { ContainerSpec, Image, Sandbox } from '../ports.ts';
import { historyOf, runOf } from '../state.ts';
import { limitsText } from '../status/limit-notes.ts';
import { rfc3339 } from '../status/rfc3339.ts';
import type { Incarnation } from '../worker/incarnation.ts';
import { NotStartable, orRefuse, preparedContainer, subjectOf } from './container-spec.ts';
import { launchFacts } from './launch.ts';

/** The shim that was to do it is gone, or hangs and may yet do it: the sandbox is lost; it is not a failed start. */
const SHIM_GONE = ['ESHIMLOST', 'ECONNRESET', 'EPIPE', 'ENOTCONN', 'ECONNREFUSED', 'ETIMEDOUT'];

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
      const [spec] = await Promise.all([preparedContainer(pod, name, image), removeResidue(pod, sandbox, name)]);
      await launchOne(pod, sandbox, { ...spec, labels: containerLabels(historyOf(pod.record, name)) }, image);
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

const removeResidue = async (pod: Incarnation, sandbox: Sandbox, name: string): Promise<void> => {
  const run = runOf(pod.state, name);
  if (run.residue) await sandbox.remove(name).catch(orRefuse('CreateContainerError', subjectOf(pod, name)));
  run.residue = false;
};

const launchOne = async (pod: Incarnation, sandbox: Sandbox, spec: ContainerSpec, image: Image): Promise<void> => {
  const { name, attempt } = spec;
  const run = runOf(pod.state, name);
  pod.change(name, (history) => countRestart(history, pod.now()));
  try {
    const started = await sandbox.start(spec);
    delete run.config;
    // It may have ended already: the event can overtake the answer.
    pod.change(name, (history) => (history.ended?.attempt === attempt ? history : confirm(history, attempt, started)));
    pod.event('Normal', 'Created', `Created container: ${name}`, name);
    pod.event('Normal', 'Started', `Started container ${name}`, name);
    if (started.notes?.length)
      pod.event('Warning', 'LimitsNotApplied', limitsText(`container ${name}`, started.notes), name);
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
    pod.change(name, (history) =>
      history.ended?.attempt === attempt ? history : confirm(history, attempt, { startedAt: now(pod) }),
    );
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
