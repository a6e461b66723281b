/** What one container of a live pod needs next. */
import { isInit, ownContainers } from '../../manifest/containers.ts';
import type { Container } from '../../manifest/types/container.ts';
import { restartDueAt } from '../backoff.ts';
import { attemptPhase, backoffOf } from '../history.ts';
import { historyOf, type PodState, runOf, sandboxNumber } from '../state.ts';
import type { ContainerHistory } from '../types.ts';
import { restartsAfter, startsAgain } from './restart.ts';

export type Need =
  /** Never again: it ended and its policy leaves it so, or its sandbox is gone and it must not run. */
  | { kind: 'over' }
  /** It runs, or the runner is starting it. */
  | { kind: 'wait' }
  /** It is to be started, not before `dueAt` (monotonic ms). */
  | { kind: 'start'; dueAt: number };

const AT_ONCE = Number.NEGATIVE_INFINITY;

export const containerNeed = (state: PodState, container: Container): Need => {
  const history = historyOf(state.record, container.name);
  const run = runOf(state, container.name);
  const phase = attemptPhase(history);
  if (run.starting || phase === 'running') return { kind: 'wait' };
  const notBefore = run.config?.retry.notBefore ?? AT_ONCE;
  if (phase === 'ended') return endedNeed(state, container, history, notBefore);
  return runOnceOver(state, container) ? { kind: 'over' } : { kind: 'start', dueAt: notBefore };
};

const endedNeed = (state: PodState, container: Container, history: ContainerHistory, notBefore: number): Need => {
  const { ended } = history;
  const { spec } = state.record.pod;
  if (ended === undefined) return { kind: 'over' };
  const afresh = isInit(spec, container) && !isOfSandbox(state, history) && !runOnceOver(state, container);
  if (!afresh && !startsAgain(spec, container, history)) return { kind: 'over' };
  const dueAt =
    ended.rebooted || (afresh && ended.exitCode === 0)
      ? AT_ONCE
      : restartDueAt(backoffOf(container, history), ended.finishedMono);
  return { kind: 'start', dueAt: Math.max(dueAt, notBefore) };
};

/** Whether the newest attempt was launched into the sandbox that is there now. */
export const isOfSandbox = (state: PodState, history: ContainerHistory): boolean => {
  const current = sandboxNumber(state);
  if (current === undefined || history.launched < 0) return false;
  const origin = attemptPhase(history) === 'ended' ? history.ended?.origin : history.origin;
  return (origin?.sandbox ?? current) === current;
};

/**
 * A run-once pod that lost its sandbox after any container was launched ends; no second sandbox is built for the
 * containers that had not come to run yet (kubelet: restartPolicy Never and attempt ≠ 0). A container that has a policy
 * of its own to restart after such an end is started all the same.
 */
const runOnceOver = ({ record, sandbox }: PodState, container: Container): boolean => {
  const { spec } = record.pod;
  return (
    spec.restartPolicy === 'Never' &&
    sandbox.phase === 'absent' &&
    record.sandboxes > 0 &&
    ownContainers(spec).some(({ name }) => historyOf(record, name).launched >= 0) &&
    !Object.values(record.containers).some(isToBeginAgain) &&
    !spec.containers.some((regular) => restartsAfter(spec, regular, LOST)) &&
    container.restartPolicyRules.length === 0
  );
};

/** It was ended in order to be started again, all of the pod with it. */
const isToBeginAgain = (history: ContainerHistory): boolean =>
  attemptPhase(history) === 'ended' && history.ended?.restart === true;

/** What a container that went down with its sandbox exits with. */
const LOST = 137;
