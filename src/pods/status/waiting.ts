/** Why a container that is to run does not: the `waiting` reason and its message. */
import type { Container } from '../../manifest/types/container.ts';
import { BACKOFF_INITIAL_MS, restartDueAt } from '../backoff.ts';
import { backoffOf } from '../history.ts';
import type { ImageFailure } from '../ports.ts';
import { type PodState, runOf, type Step } from '../state.ts';
import type { ContainerHistory, Failure, PodRecord } from '../types.ts';

/**
 * The obstacle in the order the start meets them, or undefined when nothing is in the way. Depends on the state only
 * and not on the time, so that a status changes when something happened and never because a clock ticked.
 */
export const blockedReason = (
  state: PodState,
  container: Container,
  history: ContainerHistory,
): Failure | undefined => {
  const run = runOf(state, container.name);
  if (run.starting) return undefined;
  return (
    imageObstacle(run.image, container.image) ??
    volumeImageObstacle(state, container) ??
    run.config?.failure ??
    crashLoop(state.record, container, history)
  );
};

/** The first failure is shown as it is; from the second on the reason says that retries are spaced. */
const imageObstacle = ({ failure, retry }: Step, image: string): Failure | undefined => {
  if (failure === undefined) return undefined;
  if (failure.reason !== 'ErrImagePull' || (retry?.failures ?? 0) < 2) return failure;
  return { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}": ${failure.message}` };
};

/** As the kubelet tells it: of the containers that mount the volume. The others of the pod are merely not there yet. */
const volumeImageObstacle = ({ volumes }: PodState, { volumeMounts }: Container): Failure | undefined => {
  const { image } = volumes;
  if (image === undefined || !volumeMounts.some(({ name }) => name === image.volume)) return undefined;
  return imageObstacle(volumes, image.reference);
};

/** A failed image look-up, as a failure. Errors that name no Kubernetes reason count as ErrImagePull. */
export const imageFailure = (error: unknown, image: string): Failure => {
  const { code, message } = error as Partial<ImageFailure>;
  const known = ['ErrImagePull', 'ErrImageNeverPull', 'InvalidImageName', 'ImageInspectError'];
  return {
    reason: known.includes(code ?? '') ? (code as string) : 'ErrImagePull',
    message: message ?? `image "${image}" could not be obtained`,
  };
};

const crashLoop = (record: PodRecord, container: Container, history: ContainerHistory): Failure | undefined => {
  const { ended } = history;
  if (ended === undefined || ended.rebooted) return undefined;
  const delayMs = restartDueAt(backoffOf(container, history), ended.finishedMono) - ended.finishedMono;
  if (delayMs <= 0) return undefined;
  // The first time round the reader sees what is wrong, later that it keeps being wrong (the cause is in lastState).
  if (ended.reason === 'StartError' && delayMs <= BACKOFF_INITIAL_MS) {
    return { reason: 'RunContainerError', message: ended.message ?? 'the runner could not start the container' };
  }
  if (ended.failure && delayMs <= BACKOFF_INITIAL_MS) return ended.failure;
  return { reason: 'CrashLoopBackOff', message: crashLoopMessage(record, container.name, delayMs) };
};

/** The kubelet's text, e.g. `back-off 20s restarting failed container=web pod=site_default(0b1f…)`. */
export const crashLoopMessage = (record: PodRecord, container: string, delayMs: number): string =>
  `back-off ${goDuration(delayMs)} restarting failed container=${container} ` +
  `pod=${record.name}_${record.namespace}(${record.uid})`;

/** Whole seconds as Go prints a duration: 40s, 1m20s, 5m0s. */
const goDuration = (ms: number): string => {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
};
