/** Each action of a plan to what carries it out; an action without one does not compile. */
import { end, endedUnseen, launch } from '../history.ts';
import type { Incarnation } from '../incarnation.ts';
import type { Action } from '../plan/action.ts';
import type { Outcome } from '../types.ts';
import { clean } from './clean.ts';
import { startContainer, stopContainer } from './container.ts';
import { ensureImage, prepareVolumes } from './prepare.ts';
import { createSandbox, destroySandbox } from './sandbox.ts';

type Performers = { [Kind in Action['do']]: (pod: Incarnation, action: Extract<Action, { do: Kind }>) => void };

const PERFORMERS: Performers = {
  'ensure-image': (pod, { container }) => ensureImage(pod, container),
  'prepare-volumes': (pod) => prepareVolumes(pod),
  'create-sandbox': (pod, { launch: names }) => createSandbox(pod, names),
  start: (pod, { container }) => startContainer(pod, container),
  stop: (pod, { container, graceMs }) => stopContainer(pod, container, graceMs),
  'destroy-sandbox': (pod) => destroySandbox(pod),
  finish: (pod, { outcome }) => finish(pod, outcome),
  clean: (pod, { scope }) => clean(pod, scope),
};

/** Begins the action. Returns at once; the pod is woken when it has ended. */
export const perform = (pod: Incarnation, action: Action): void => {
  const performer = PERFORMERS[action.do] as (pod: Incarnation, action: Action) => void;
  performer(pod, action);
};

/** Containers that never came to run end with the pod, so that none is left Waiting in a pod that is over. */
const finish = (pod: Incarnation, outcome: Outcome): void => {
  const { wall, mono } = pod.moment();
  const message = 'The container could not be started before its run-once pod lost its sandbox';
  for (const name of pod.state.containers.keys()) {
    pod.change(name, (history) => {
      if (history.ended?.attempt === history.launched && history.ended) return history;
      const launched = launch(history);
      return end(launched, endedUnseen(launched, { message, finishedAt: wall, finishedMono: mono }));
    });
  }
  pod.record = { ...pod.record, outcome };
  pod.saver.markUrgent();
  pod.wake();
};
