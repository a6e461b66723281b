/** What one container of a live pod needs next. */
import { restartDueAt } from '../backoff.ts';
import { attemptPhase } from '../history.ts';
import { historyOf, type PodState, runOf } from '../state.ts';
import type { ContainerHistory, PodRecord } from '../types.ts';

export type Need =
  /** Never again: it ended and its policy leaves it so, or its sandbox is gone and it must not run. */
  | { kind: 'over' }
  /** It runs, or the runner is starting it. */
  | { kind: 'wait' }
  /** It is to be started, not before `dueAt` (monotonic ms). */
  | { kind: 'start'; dueAt: number };

/** Whether an ended container is started again (kubelet ShouldContainerBeRestarted). */
export const restarts = (policy: 'Always' | 'OnFailure' | 'Never', exitCode: number): boolean =>
  policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);

export const containerNeed = (state: PodState, name: string): Need => {
  const { record } = state;
  const history = historyOf(record, name);
  const run = runOf(state, name);
  const phase = attemptPhase(history);
  if (run.starting || phase === 'running') return { kind: 'wait' };
  const notBefore = run.config?.retry.notBefore ?? Number.NEGATIVE_INFINITY;
  if (phase === 'ended') return endedNeed(record, history, notBefore);
  return runOnceOver(state) ? { kind: 'over' } : { kind: 'start', dueAt: notBefore };
};

const endedNeed = (record: PodRecord, { ended, backoff }: ContainerHistory, notBefore: number): Need => {
  if (ended === undefined || !restarts(record.pod.spec.restartPolicy, ended.exitCode)) return { kind: 'over' };
  const dueAt = ended.rebooted ? Number.NEGATIVE_INFINITY : restartDueAt(backoff, ended.finishedMono);
  return { kind: 'start', dueAt: Math.max(dueAt, notBefore) };
};

/**
 * A run-once pod that lost its sandbox after any container was launched ends; no second sandbox is built for the
 * containers that had not come to run yet (kubelet: restartPolicy Never and attempt ≠ 0).
 */
const runOnceOver = ({ record, sandbox }: PodState): boolean =>
  record.pod.spec.restartPolicy === 'Never' &&
  sandbox.phase === 'absent' &&
  record.sandboxes > 0 &&
  Object.values(record.containers).some((history) => history.launched >= 0);
