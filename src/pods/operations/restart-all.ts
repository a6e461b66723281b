/** A container asked, by the code it exited with, for the whole pod to begin anew (RestartAllContainers). */
import { mapHistories } from '../adoption/adoption.ts';
import { attemptPhase } from '../history.ts';
import type { ContainerHistory } from '../types.ts';
import type { Incarnation } from '../worker/incarnation.ts';
import { destroySandbox } from './sandbox.ts';

/**
 * Every container is started again whatever its policy says, without hooks or grace. That is durable before anything is
 * killed, so that a new agent goes on with it.
 */
export const restartAll = (pod: Incarnation, cause: string): void => {
  const sinceMono = pod.now();
  const begin = (history: ContainerHistory): ContainerHistory => {
    const { ended, launched: attempt } = history;
    const phase = attemptPhase(history);
    if (phase === 'ended' && ended) return { ...history, ended: { ...ended, restart: true } };
    return phase === 'never' ? history : { ...history, condemned: { attempt, sinceMono, graceMs: 0, restart: true } };
  };
  pod.record = { ...pod.record, containers: mapHistories(pod.record, begin) };
  pod.saver.save();
  pod.event('Normal', 'RestartingAllContainers', `Container ${cause} asks for all containers to be restarted`, cause);
  destroySandbox(pod);
};
