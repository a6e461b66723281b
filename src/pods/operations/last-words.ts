import { findContainer } from '../../manifest/containers.ts';
import { historyOf } from '../state.ts';
import { terminationMessage } from '../status/termination-message.ts';
import type { EndedAttempt } from '../types.ts';
import type { Incarnation } from '../worker/incarnation.ts';

/** The end with what the container left to say of it. */
export const withLastWords = (pod: Incarnation, name: string, ended: EndedAttempt): EndedAttempt => {
  const { spec } = pod.record.pod;
  const container = findContainer(spec, name);
  if (container === undefined) return ended;
  const words = pod.parts.files.lastWords(pod.record, name, ended.attempt);
  const message = terminationMessage(spec, container, ended.exitCode, words);
  return message === undefined ? ended : { ...ended, message };
};

/** Ends that were taken over from the shim at the start of an agent; those known before have theirs. */
export const addLastWords = (pod: Incarnation): void => {
  for (const name of pod.state.containers.keys()) {
    const { ended } = historyOf(pod.record, name);
    if (ended === undefined || ended.message !== undefined) continue;
    const complete = withLastWords(pod, name, ended);
    if (complete !== ended) pod.change(name, (history) => ({ ...history, ended: complete }));
  }
};
