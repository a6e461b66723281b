/** Each action of a plan to what carries it out; an action without one does not compile. */
import type { Container } from '../../manifest/types/container.ts';
import { attemptPhase, end, endedUnseen, launch } from '../history.ts';
import type { Action } from '../plan/action.ts';
import { historyOf } from '../state.ts';
import type { Outcome } from '../types.ts';
import type { Incarnation } from '../worker/incarnation.ts';
import { clean } from './clean.ts';
import { condemn } from './condemn.ts';
import { startContainer } from './container.ts';
import { postStart } from './hooks.ts';
import { ensureImage, prepareVolumes } from './prepare.ts';
import { resizePod } from './resize.ts';
import { restartAll } from './restart-all.ts';
import { createSandbox, destroySandbox } from './sandbox.ts';
import { preStop, stopContainer } from './stop.ts';

type Performers = { [Kind in Action['do']]: (pod: Incarnation, action: Extract<Action, { do: Kind }>) => void };

const PERFORMERS: Performers = {
  'ensure-image': (pod, { container }) => ensureImage(pod, container),
  'prepare-volumes': (pod) => prepareVolumes(pod),
  'create-sandbox': (pod, { launch: names }) => createSandbox(pod, names),
  start: (pod, { container }) => startContainer(pod, container),
  'post-start': (pod, { container }) => postStart(pod, container),
  resize: (pod, { containers }) => resizePod(pod, containers),
  condemn: (pod, { container, fate, message }) => condemn(pod, container, fate, message),
  'pre-stop': (pod, { container, deadline }) => preStop(pod, container, deadline),
  stop: (pod, { container, graceMs, deadline }) => stopContainer(pod, container, { graceMs, deadline }),
  'restart-all': (pod, { container }) => restartAll(pod, container),
  'destroy-sandbox': (pod) => destroySandbox(pod),
  finish: (pod, { outcome }) => finish(pod, outcome),
  clean: (pod, { scope }) => clean(pod, scope),
};

/** Begins the action. Returns at once; the pod is woken when it has ended. */
export const perform = (pod: Incarnation, action: Action): void => {
  const performer = PERFORMERS[action.do] as (pod: Incarnation, action: Action) => void;
  performer(pod, action);
};

/**
 * Nothing is left Waiting in a pod that is over, except what waited for init containers that did not succeed (kubelet
 * TerminatePod).
 */
const finish = (pod: Incarnation, outcome: Outcome): void => {
  const { wall, mono } = pod.moment();
  const { initContainers, containers } = pod.record.pod.spec;
  const launched = ({ name }: Container) => historyOf(pod.record, name).launched >= 0;
  const initialized = initContainers.length === 0 || containers.some(launched);
  const message = 'The container could not be located when the pod was terminated';
  for (const { name } of [...initContainers.filter(launched), ...(initialized ? containers : [])]) {
    pod.change(name, (history) => {
      if (attemptPhase(history) === 'ended') return history;
      const unseen = launch(history);
      return end(unseen, endedUnseen(unseen, { message, finishedAt: wall, finishedMono: mono }));
    });
  }
  pod.record = { ...pod.record, outcome };
  pod.saver.markUrgent();
  pod.wake();
};
