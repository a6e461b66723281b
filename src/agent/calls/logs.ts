/** The call `logs`: what a container wrote, in pieces, as long as somebody follows. */
import { dirname } from 'node:path';
import type { RpcContext } from '../../broker/rpc.ts';
import type { PodManager } from '../../pods/manager.ts';
import { readLog } from '../../runtime/logs/read.ts';
import { fitting, halves } from './fitting.ts';
import { CallError, containerOf, type PodParams, podParams } from './target.ts';

interface LogParams extends PodParams {
  tail?: number;
  follow: boolean;
  previous: boolean;
}

/** One answer carries at most so many lines, or what came within the pause. */
const MAX_LINES = 200;
const MAX_PIECE_BYTES = 64 * 1024;
const PAUSE_MS = 50;

export async function* logs(
  manager: PodManager,
  untyped: Record<string, unknown>,
  { signal, fits }: Pick<RpcContext, 'signal' | 'fits'>,
): AsyncGenerator<object> {
  const params = logParams(untyped);
  const { previous, follow, tail } = params;
  const { pod, container, object } = containerOf(manager, params);
  const path = previous ? container.previousLogPath : container.logPath;
  if (!path)
    throw new CallError(
      'NotFound',
      previous ? `${object} has not been restarted` : `${object} has not been started yet`,
    );
  const attempt = container.attempt - (previous ? 1 : 0);
  const ended = new AbortController();
  const lines = readLog({
    dir: dirname(path),
    attempt,
    follow: follow && !previous,
    signal: AbortSignal.any([signal, ended.signal]),
    ...(tail !== undefined && { tail }),
    ...(follow && { until: whenOver(manager, pod.uid, params, container.name, attempt, ended.signal) }),
  });
  try {
    for await (const { lines: bunch } of inPieces(lines))
      for (const some of fitting(bunch, (list) => fits({ lines: list }), halves)) yield { lines: some };
  } finally {
    ended.abort();
  }
}

/** Resolves when this attempt of the container does not run any more; looked at once a second while somebody follows. */
function whenOver(
  manager: PodManager,
  uid: string,
  { namespace, name }: LogParams,
  container: string,
  attempt: number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const pod = manager.describe(namespace, name);
      const now = pod?.uid === uid ? pod.containers.find((candidate) => candidate.name === container) : undefined;
      if (now?.attempt === attempt && now.pid !== undefined) return;
      clearInterval(timer);
      resolve();
    }, 1000);
    signal.addEventListener('abort', () => {
      clearInterval(timer);
      resolve();
    });
  });
}

/** Lines in bunches: as many as are there, without holding back the newest. For tests apart. */
export async function* inPieces<T extends { text: string }>(lines: AsyncIterator<T>): AsyncGenerator<{ lines: T[] }> {
  let next = ahead(lines);
  for (;;) {
    const first = await next;
    if (first.done) return;
    const bunch = [first.value];
    let bytes = first.value.text.length;
    next = ahead(lines);
    const deadline = performance.now() + PAUSE_MS;
    let over = false;
    while (bunch.length < MAX_LINES && bytes < MAX_PIECE_BYTES) {
      const more = await Promise.race([next, pause(Math.max(0, deadline - performance.now()))]);
      if (more === undefined) break;
      if (more.done) {
        over = true;
        break;
      }
      bunch.push(more.value);
      bytes += more.value.text.length;
      next = ahead(lines);
    }
    yield { lines: bunch };
    if (over) return;
  }
}

/** The line after, asked for early. A caller may be gone before anybody looks at it: that it failed is then no news. */
function ahead<T>(lines: AsyncIterator<T>): Promise<IteratorResult<T>> {
  const line = lines.next();
  line.catch(() => {});
  return line;
}

function pause(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined));
}

function logParams(params: Record<string, unknown>): LogParams {
  const { tail, follow = false, previous = false } = params;
  if (tail !== undefined && !(Number.isInteger(tail) && (tail as number) >= 0))
    throw new CallError('InvalidParams', 'tail must be a number of lines');
  return {
    ...podParams(params),
    follow: follow === true,
    previous: previous === true,
    ...(tail !== undefined && { tail: tail as number }),
  };
}
