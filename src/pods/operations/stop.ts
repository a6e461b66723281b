/** Ending one container: the preStop hook, the stop signal. */
import { findContainer } from '../../manifest/containers.ts';
import { failureMessage } from '../failures.ts';
import { MINIMUM_STOP_MS } from '../plan/stop-steps.ts';
import { historyOf, runOf } from '../state.ts';
import type { Incarnation } from '../worker/incarnation.ts';
import { runHook } from './hooks.ts';

const DEFAULT_STOP_SIGNAL = 'SIGTERM';

/**
 * Runs the hook. That it failed is told and changes nothing. One that is not through at `deadline` (monotonic ms) is not
 * waited for any longer, and ends with its container (kubelet): it has what is left until SIGKILL.
 */
export const preStop = (pod: Incarnation, name: string, deadline: number): void => {
  const handler = findContainer(pod.record.pod.spec, name)?.lifecycle?.preStop;
  const run = runOf(pod.state, name);
  tellKilling(pod, name);
  run.stopping = { deadline, preStop: 'busy' };
  pod.operate(
    async () => {
      const leftMs = Math.ceil(deadline + MINIMUM_STOP_MS - pod.now());
      const failure = handler && (await runHook(pod, name, handler, Math.max(1, leftMs)));
      if (failure !== undefined && !pod.gone) pod.event('Warning', 'FailedPreStopHook', failure, name);
      if (run.stopping) run.stopping = { ...run.stopping, preStop: 'done' };
    },
    { abandonable: true },
  );
};

/** Sends the stop signal; SIGKILL follows after `graceMs`. The end arrives as an event. */
export const stopContainer = (
  pod: Incarnation,
  name: string,
  { graceMs, deadline }: { graceMs: number; deadline: number },
): void => {
  const { sandbox } = pod;
  const run = runOf(pod.state, name);
  const { lifecycle } = findContainer(pod.record.pod.spec, name) ?? {};
  const signal = lifecycle?.stopSignal ?? historyOf(pod.record, name).stopSignal ?? DEFAULT_STOP_SIGNAL;
  tellKilling(pod, name);
  run.stopping = { deadline, preStop: run.stopping?.preStop ?? 'none', killAt: pod.now() + graceMs };
  pod.operate(async () => {
    try {
      await sandbox?.stop(name, signal, graceMs);
    } catch (error) {
      const subject = { namespace: pod.record.namespace, pod: pod.record.name, container: name };
      pod.event('Warning', 'FailedKillPod', failureMessage(error, subject), name);
      // Its grace is forfeit: when the pod ends the sandbox is taken down, which kills by cgroup.
      if (run.stopping) run.stopping.killAt = pod.now();
    }
  });
};

/** Once for each end; a condemned container's reason has been told. */
const tellKilling = (pod: Incarnation, name: string): void => {
  const { launched, condemned } = historyOf(pod.record, name);
  if (runOf(pod.state, name).stopping || condemned?.attempt === launched) return;
  pod.event('Normal', 'Killing', `Stopping container ${name}`, name);
};
