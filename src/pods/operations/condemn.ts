import { historyOf } from '../state.ts';
import type { Condemned } from '../types.ts';
import type { Incarnation } from '../worker/incarnation.ts';

/** The running attempt is to end, for the reason of `message`; remembered, so that a new agent goes on with it. */
export const condemn = (pod: Incarnation, name: string, fate: Omit<Condemned, 'attempt'>, message: string): void => {
  const { launched: attempt, condemned } = historyOf(pod.record, name);
  if (condemned?.attempt === attempt) return;
  pod.change(name, (history) => ({ ...history, condemned: { ...fate, attempt } }));
  pod.saver.markUrgent();
  pod.event('Normal', 'Killing', message, name);
  pod.wake();
};
