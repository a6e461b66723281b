/** What is to be done with containers that run while their pod goes on: hooks, resizes, ends of single ones. Pure. */
import { allContainers } from '../../manifest/containers.ts';
import type { Container } from '../../manifest/types/container.ts';
import { isGiven, resizeOf } from '../changes/resize.ts';
import { historyOf, isRunning, type PodState, runOf } from '../state.ts';
import type { ContainerHistory } from '../types.ts';
import type { Action } from './action.ts';
import { imageChanged } from './restart.ts';
import { stopSteps } from './stop-steps.ts';
import type { Wake } from './wake.ts';

export const planRunning = (state: PodState, now: number, wake: Wake): Action[] => {
  const { spec } = state.record.pod;
  if (state.sandbox.phase !== 'ready') return [];
  const running = allContainers(spec).filter(({ name }) => isRunning(state, name));
  return [...running.flatMap((container) => planOne(state, container, now, wake)), ...planResize(state, running, wake)];
};

/** The pod's own limits follow when nothing that runs still has the old ones. */
const planResize = (state: PodState, running: Container[], wake: Wake): Action[] => {
  const { record, resize } = state;
  const stays = running.filter(({ name }) => !isCondemned(historyOf(record, name)));
  const containers = stays.filter((container) => resizeOf(container, historyOf(record, container.name)) === 'in-place');
  const settled = stays.length === running.length && !isGiven(record);
  if (containers.length === 0 && !settled) return [];
  if (resize.phase !== 'idle' || !wake.isDue(resize.retry?.notBefore)) return [];
  return [{ do: 'resize', containers: containers.map(({ name }) => name) }];
};

const isCondemned = ({ condemned, launched }: ContainerHistory): boolean => condemned?.attempt === launched;

const planOne = (state: PodState, container: Container, now: number, wake: Wake): Action[] => {
  const { name } = container;
  const { spec } = state.record.pod;
  const history = historyOf(state.record, name);
  const run = runOf(state, name);
  const { condemned } = history;
  if (condemned && isCondemned(history)) {
    return stopSteps(state, name, condemned, { mustWait: false, now, wake });
  }
  const graceMs = Math.max(1, spec.terminationGracePeriodSeconds) * 1000;
  if (imageChanged(spec, container, history) || resizeOf(container, history) === 'restart') {
    const message = `Container ${name} definition changed, will be restarted`;
    return [{ do: 'condemn', container: name, fate: { sinceMono: now, graceMs, restart: true }, message }];
  }
  const actions: Action[] = [];
  if (history.postStartDue === history.launched && run.hook === 'idle')
    actions.push({ do: 'post-start', container: name });
  return actions;
};
