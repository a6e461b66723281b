/** Limits that were asked for and that the kernel of this board cannot apply, in words. Pure. */
import { allContainers } from '../../manifest/containers.ts';
import { historyOf, isRunning, type PodState } from '../state.ts';

export const limitsText = (what: string, notes: readonly string[]): string => `${what}: ${notes.join('; ')}`;

/** Of the pod and of every container that runs; undefined when all limits are in force. */
export const missingLimits = (state: PodState): string | undefined => {
  const running = allContainers(state.record.pod.spec).filter(({ name }) => isRunning(state, name));
  const parts = [
    ...(state.notes.length > 0 ? [limitsText('pod', state.notes)] : []),
    ...running.flatMap(({ name }) => {
      const { notes } = historyOf(state.record, name).running ?? {};
      return notes ? [limitsText(`container ${name}`, notes)] : [];
    }),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
};
