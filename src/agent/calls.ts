/** What operators can call on this device (`D/rpc/<method>`). */
import { dirname } from 'node:path';
import type { RpcServer } from '../broker/rpc.ts';
import type { PodManager } from '../pods/manager.ts';
import { readLog } from '../runtime/logs/read.ts';

/** Answered to the caller as `{error: {code, message}}`. */
class CallError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

interface LogParams {
  namespace: string;
  name: string;
  container?: string;
  tail?: number;
  follow: boolean;
  previous: boolean;
}

/** One answer carries at most so many lines, or what came within the pause. */
const MAX_LINES = 200;
const MAX_PIECE_BYTES = 64 * 1024;
const PAUSE_MS = 50;

export function registerCalls(rpc: RpcServer, manager: PodManager): void {
  rpc.register('logs', (params, { signal }) => logs(manager, logParams(params), signal));
}

async function* logs(manager: PodManager, params: LogParams, signal: AbortSignal): AsyncGenerator<object> {
  const { namespace, name, previous, follow, tail } = params;
  const pod = manager.describe(namespace, name);
  if (!pod) throw new CallError('NotFound', `pod ${namespace}/${name} is not on this device`);
  const container = pod.containers.find(
    (candidate) => candidate.name === (params.container ?? pod.containers[0]?.name),
  );
  if (!container) throw new CallError('NotFound', `pod ${namespace}/${name} has no container ${params.container}`);
  const path = previous ? container.previousLogPath : container.logPath;
  const object = `${namespace}/${name}/${container.name}`;
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
    yield* pieces(lines);
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

/** Lines in bunches: as many as are there, without holding back the newest. */
async function* pieces<T extends { text: string }>(lines: AsyncIterator<T>): AsyncGenerator<{ lines: T[] }> {
  let next = lines.next();
  for (;;) {
    const first = await next;
    if (first.done) return;
    const bunch = [first.value];
    let bytes = first.value.text.length;
    next = lines.next();
    const deadline = Date.now() + PAUSE_MS;
    let over = false;
    while (bunch.length < MAX_LINES && bytes < MAX_PIECE_BYTES) {
      const more = await Promise.race([next, pause(Math.max(0, deadline - Date.now()))]);
      if (more === undefined) break;
      if (more.done) {
        over = true;
        break;
      }
      bunch.push(more.value);
      bytes += more.value.text.length;
      next = lines.next();
    }
    yield { lines: bunch };
    if (over) return;
  }
}

function pause(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined));
}

function logParams(params: Record<string, unknown>): LogParams {
  const { namespace = 'default', name, container, tail, follow = false, previous = false } = params;
  const wrong = (what: string) => new CallError('InvalidParams', what);
  if (typeof name !== 'string' || typeof namespace !== 'string') throw wrong('name must be the name of a pod');
  if (container !== undefined && typeof container !== 'string') throw wrong('container must be a name');
  if (tail !== undefined && !(Number.isInteger(tail) && (tail as number) >= 0))
    throw wrong('tail must be a number of lines');
  return {
    namespace,
    name,
    follow: follow === true,
    previous: previous === true,
    ...(container !== undefined && { container }),
    ...(tail !== undefined && { tail: tail as number }),
  };
}
