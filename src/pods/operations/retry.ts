/** What a pod waits for has come: steps that failed for want of it need not sit out their back-off. */
import type { Retry } from '../backoff.ts';
import type { Incarnation } from '../worker/incarnation.ts';

export const retryForObjects = ({ state }: Incarnation): void => {
  if (state.volumes.retry) state.volumes.retry = soon(state.volumes.retry);
  for (const { config } of state.containers.values()) if (config) config.retry = soon(config.retry);
};

export const retryForImages = ({ state }: Incarnation): void => {
  if (state.volumes.retry) state.volumes.retry = soon(state.volumes.retry);
  for (const { image } of state.containers.values()) if (image.retry) image.retry = soon(image.retry);
};

const soon = (retry: Retry): Retry => ({ ...retry, notBefore: Number.NEGATIVE_INFINITY });
