/** What a pod needs before a sandbox makes sense: images and volumes. */
import { findContainer } from '../../manifest/containers.ts';
import { nextRetry } from '../backoff.ts';
import { failureMessage } from '../failures.ts';
import { unlaunch } from '../history.ts';
import { runOf } from '../state.ts';
import { imageFailure } from '../status/waiting.ts';
import { VolumeImageError } from '../volumes/mount-error.ts';
import type { Incarnation } from '../worker/incarnation.ts';

/** Asks for the container's image. A failure takes back a launch that counted on it. */
export const ensureImage = (pod: Incarnation, name: string): void => {
  const container = findContainer(pod.record.pod.spec, name);
  const run = runOf(pod.state, name);
  if (container === undefined) return;
  run.image = { ...run.image, phase: 'busy' };
  const ensure = async () => {
    try {
      const resolved = await pod.parts.images.ensure(container.image, container.imagePullPolicy);
      run.image = { phase: 'done', resolved };
    } catch (error) {
      const failure = imageFailure(error, container.image);
      run.image = { phase: 'idle', failure, retry: nextRetry(run.image.retry, pod.now()) };
      if (pod.gone) return;
      if (!run.starting) pod.change(name, unlaunch);
      pod.event('Warning', 'Failed', `${failure.reason}: ${failure.message}`, name);
    }
  };
  pod.operate(ensure, { abandonable: true });
};

/** Makes and checks the pod's volumes. */
export const prepareVolumes = (pod: Incarnation): void => {
  const { state, parts } = pod;
  state.volumes = { ...state.volumes, phase: 'busy' };
  pod.operate(async () => {
    try {
      pod.volumePaths = await parts.volumes.prepare(pod.record.uid, pod.record.pod);
      state.volumes = { phase: 'done' };
    } catch (error) {
      const retry = nextRetry(state.volumes.retry, pod.now());
      if (error instanceof VolumeImageError) {
        const { volume, reference } = error;
        const { reason } = imageFailure(error.cause, reference);
        state.volumes = {
          phase: 'idle',
          failure: { reason, message: error.message },
          image: { volume, reference },
          retry,
        };
        pod.event('Warning', 'Failed', `${reason}: ${error.message}`);
        return;
      }
      const { namespace, name } = pod.record;
      const message = failureMessage(error, { namespace, pod: name });
      state.volumes = { phase: 'idle', failure: { reason: 'FailedMount', message }, retry };
      pod.event('Warning', 'FailedMount', message);
    }
  });
};
