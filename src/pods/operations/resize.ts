/** Changing the limits of a container that runs. */
import { findContainer } from '../../manifest/containers.ts';
import { nextRetry } from '../backoff.ts';
import { failureMessage } from '../failures.ts';
import { resized } from '../history.ts';
import type { Incarnation } from '../incarnation.ts';
import { runOf } from '../state.ts';

/** The kernel takes limits in any order: a parent's limit below its child's is simply the one that holds. */
export const resizeContainer = (pod: Incarnation, name: string): void => {
  const { sandbox, parts } = pod;
  const container = findContainer(pod.record.pod.spec, name);
  const run = runOf(pod.state, name);
  if (sandbox === undefined || container === undefined) return;
  run.resize = { ...run.resize, phase: 'busy' };
  pod.operate(async () => {
    try {
      await sandbox.update(parts.containerResources(container, pod.record.pod), name);
      await sandbox.update(parts.podResources(pod.record.pod));
      run.resize = { phase: 'idle' };
      pod.change(name, (history) => resized(history, container.resources));
      pod.saver.markUrgent();
      pod.event('Normal', 'ResizeCompleted', `Pod resize completed: container ${name}`, name);
    } catch (error) {
      const subject = { namespace: pod.record.namespace, pod: pod.record.name, container: name };
      const message = failureMessage(error, subject);
      const retry = nextRetry(run.resize.retry, pod.now());
      run.resize = { phase: 'idle', failure: { reason: 'Error', message }, retry };
      pod.event('Warning', 'ResizeError', message, name);
    }
  });
};
