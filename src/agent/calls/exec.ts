/** The call `exec`: a command in a running container, its output in pieces as it comes, and its exit code. */
import type { Logger } from 'pino';
import type { RpcContext } from '../../broker/rpc.ts';
import type { PodManager } from '../../pods/manager.ts';
import type { RunningExec, StreamRequest } from '../../pods/ports.ts';
import { fitting } from './fitting.ts';
import { CallError, containerOf, type PodParams, podParams } from './target.ts';

interface ExecParts {
  manager: PodManager;
  allowed: boolean;
  log: Logger;
}

interface ExecParams extends PodParams {
  command: string[];
  stdin?: Uint8Array;
  timeoutMs: number;
}

/** Every piece goes out before more is read, so a process that writes faster than the link waits on its pipe. */
const MAX_PIECE_BYTES = 32 * 1024;
/** Of both streams: what one call may send over a link that may be metered. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
/** As long as a call may last. */
const MAX_TIMEOUT_S = 3600;

/**
 * Answers `{started: true}`, pieces `{stream, data}` (base64), then `{exitCode}`: 128 + the signal for a process that was killed. A caller
 * that goes away ends the process.
 */
export async function* exec(
  { manager, allowed, log }: ExecParts,
  untyped: Record<string, unknown>,
  { signal, fits }: RpcContext,
): AsyncGenerator<object> {
  if (!allowed)
    throw new CallError(
      'Forbidden',
      'this device runs no commands for operators: remoteExec is false in its agent.yaml',
    );
  const params = execParams(untyped);
  const { container, object } = containerOf(manager, params);
  if (container.pid === undefined) throw new CallError('NotRunning', `${object} is not running`);
  const { namespace, name, command } = params;
  log.info({ event: 'call.exec', object, program: command[0] }, 'an operator runs a command');
  const running = await manager
    .exec(namespace, name, container.name, requestOf(params))
    .catch((error: Error) => Promise.reject(cannotRun(error, command, object)));
  const kill = () => running.kill();
  signal.addEventListener('abort', kill);
  if (signal.aborted) kill();
  try {
    yield { started: true };
    yield* pieces(running, fits);
    const { exitCode, timedOut } = await running.ended;
    if (timedOut)
      throw new CallError(
        'DeadlineExceeded',
        `"${command[0]}" was killed after ${params.timeoutMs / 1000} s in ${object}`,
      );
    yield { exitCode };
  } finally {
    signal.removeEventListener('abort', kill);
    running.kill(); // a caller that takes no more
  }
}

async function* pieces({ output }: RunningExec, fits: RpcContext['fits']): AsyncGenerator<object> {
  let sent = 0;
  for await (const { stream, data } of output)
    for (let at = 0; at < data.length; at += MAX_PIECE_BYTES) {
      const piece = data.subarray(at, at + MAX_PIECE_BYTES);
      sent += piece.length;
      if (sent > MAX_OUTPUT_BYTES)
        throw new CallError('TooLarge', `a command may write at most ${MAX_OUTPUT_BYTES >> 20} MiB; it was killed`);
      const sendable = ({ data }: Chunk) => fits({ stream, data: data.toString('base64') });
      for (const { data } of fitting({ data: piece }, sendable, halveChunk))
        yield { stream, data: data.toString('base64') };
    }
}

interface Chunk {
  data: Buffer;
}

function halveChunk({ data }: Chunk): [Chunk, Chunk] | undefined {
  const middle = data.length >> 1;
  return middle === 0 ? undefined : [{ data: data.subarray(0, middle) }, { data: data.subarray(middle) }];
}

function requestOf({ command, stdin, timeoutMs }: ExecParams): StreamRequest {
  return { args: command, timeoutMs, ...(stdin !== undefined && { stdin }) };
}

function cannotRun(error: Error & { code?: string }, command: string[], object: string): CallError {
  const why =
    error.code === 'ENOENT'
      ? 'no such program in the container'
      : error.code === 'EACCES'
        ? 'its user may not execute it'
        : error.message;
  return new CallError('CannotRun', `"${command[0]}" cannot be run in ${object}: ${why}`);
}

function execParams(params: Record<string, unknown>): ExecParams {
  const { command, stdin, timeoutSeconds = MAX_TIMEOUT_S } = params;
  const wrong = (what: string) => new CallError('InvalidParams', what);
  const words = Array.isArray(command) && command.every((word) => typeof word === 'string' && !word.includes('\0'));
  if (!words || command.length === 0 || command[0] === '') throw wrong('command must be a list of words');
  if (stdin !== undefined && typeof stdin !== 'string') throw wrong('stdin must be text in base64');
  if (typeof timeoutSeconds !== 'number' || !(timeoutSeconds > 0 && timeoutSeconds <= MAX_TIMEOUT_S))
    throw wrong(`timeoutSeconds must be more than 0 and at most ${MAX_TIMEOUT_S}`);
  return {
    ...podParams(params),
    command: command as string[],
    timeoutMs: Math.ceil(timeoutSeconds * 1000),
    ...(stdin !== undefined && { stdin: Buffer.from(stdin, 'base64') }),
  };
}
