/** Lifecycle hooks: what a container asked to be done right after its start and before its end. */
import { findContainer } from '../../manifest/containers.ts';
import type { LifecycleHandler } from '../../manifest/types/probes.ts';
import { messageOf } from '../failures.ts';
import { attemptPhase, hookDone } from '../history.ts';
import { targetOf } from '../probes/target.ts';
import { historyOf, runOf } from '../state.ts';
import type { Incarnation } from '../worker/incarnation.ts';
import { condemn } from './condemn.ts';

/** A hook without an end of its own: as long as timers can wait. */
const UNLIMITED_MS = 2 ** 31 - 1;

/**
 * Runs the hook of the attempt that just came to run. When it fails the container is ended. Hooks are delivered at
 * least once: an agent that was stopped in the middle runs it again.
 */
export const postStart = (pod: Incarnation, name: string): void => {
  const handler = findContainer(pod.record.pod.spec, name)?.lifecycle?.postStart;
  const run = runOf(pod.state, name);
  const { launched: attempt } = historyOf(pod.record, name);
  run.hook = 'busy';
  pod.operate(
    async () => {
      const failure = handler && (await runHook(pod, name, handler, UNLIMITED_MS));
      run.hook = 'idle';
      const history = historyOf(pod.record, name);
      if (pod.gone || history.launched !== attempt || attemptPhase(history) !== 'running') return;
      if (failure === undefined) pod.change(name, (before) => hookDone(before, attempt));
      else postStartFailed(pod, name, failure);
    },
    { abandonable: true },
  );
};

const postStartFailed = (pod: Incarnation, name: string, message: string): void => {
  const graceMs = pod.record.pod.spec.terminationGracePeriodSeconds * 1000;
  pod.event('Warning', 'FailedPostStartHook', message, name);
  const failure = { reason: 'PostStartHookError', message };
  const fate = { sinceMono: pod.now(), graceMs: Math.max(1000, graceMs), restart: false, failure };
  condemn(pod, name, fate, `FailedPostStartHook: container ${name} is stopped`);
};

/** Undefined when it succeeded, else why not. Always settles by `timeoutMs`. */
export const runHook = async (
  pod: Incarnation,
  name: string,
  handler: LifecycleHandler,
  timeoutMs: number,
): Promise<string | undefined> => {
  if (handler.sleep) {
    const ms = Math.min(handler.sleep.seconds * 1000, timeoutMs);
    await new Promise<void>((resolve) => pod.parts.timers.after(ms, resolve));
    return undefined;
  }
  try {
    const asked = targetOf(pod, name, handler);
    const target = 'http' in asked ? { http: { ...asked.http, anyStatus: true } } : asked;
    const { ok, message } = await pod.parts.prober.once(target, timeoutMs);
    return ok ? undefined : message;
  } catch (error) {
    return messageOf(error);
  }
};
