/** What is to be done with containers that run while their pod goes on: hooks, resizes, ends of single ones. Pure. */
import { allContainers } from '../../manifest/containers.ts';
import type { Container } from '../../manifest/types.ts';
import { resizeOf } from '../resize.ts';
import { historyOf, isRunning, type PodState, runOf } from '../state.ts';
import type { Action } from './action.ts';
import { imageChanged } from './restart.ts';
import { stopSteps } from './stop-steps.ts';
import type { Wake } from './wake.ts';

export const planRunning = (state: PodState, now: number, wake: Wake): Action[] => {
  const { spec } = state.record.pod;
  if (state.sandbox.phase !== 'ready') return [];
  const running = allContainers(spec).filter(({ name }) => isRunning(state, name));
  return running.flatMap((container) => planOne(state, container, now, wake));
};

const planOne = (state: PodState, container: Container, now: number, wake: Wake): Action[] => {
  const { name } = container;
  const { spec } = state.record.pod;
  const history = historyOf(state.record, name);
  const run = runOf(state, name);
  const { condemned } = history;
  if (condemned?.attempt === history.launched) {
    return stopSteps(state, name, condemned, { mustWait: false, now, wake });
  }
  const resize = resizeOf(container, history);
  const graceMs = Math.max(1, spec.terminationGracePeriodSeconds) * 1000;
  if (imageChanged(spec, container, history) || resize === 'restart') {
    const message = `Container ${name} definition changed, will be restarted`;
    return [{ do: 'condemn', container: name, fate: { sinceMono: now, graceMs, restart: true }, message }];
  }
  const actions: Action[] = [];
  if (history.postStartDue === history.launched && run.hook === 'idle')
    actions.push({ do: 'post-start', container: name });
  if (resize === 'in-place' && run.resize.phase === 'idle' && wake.isDue(run.resize.retry?.notBefore)) {
    actions.push({ do: 'resize', container: name });
  }
  return actions;
};
