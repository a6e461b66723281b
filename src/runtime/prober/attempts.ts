/**
 * One question and its answer, for what the native thread does not ask: commands in a container, HTTPS (Node brings
 * TLS along, and HTTPS probes are few), and hosts that are names. `undefined`: it could not be asked, which says
 * nothing about the container.
 */
import { lookup } from 'node:dns/promises';
import type { RequestOptions } from 'node:http';
import type { ProbeTarget, ProbeVerdict } from '../../pods/ports.ts';
import { hasCode } from '../errors.ts';

export type Attempt = (timeoutMs: number) => Promise<ProbeVerdict | undefined>;
type ExecTarget = Extract<ProbeTarget, { exec: unknown }>['exec'];
type HttpTarget = Extract<ProbeTarget, { http: unknown }>['http'];

const MAX_OUTPUT = 10 * 1024;
const MAX_BODY = 10 * 1024;
const MAX_REDIRECTS = 10;
/** The command itself cannot be run: as certain a failure as a shell's 126 and 127. */
const CANNOT_RUN = ['ENOENT', 'EACCES', 'ENOEXEC', 'ENOTDIR', 'ELOOP', 'EISDIR', 'EINVAL'];

export const userAgent = 'kube-probe/1.36';

/** Runs the command in the container; anything but exit code 0 in time is a failure. */
export function execAttempt({ sandbox, container, command, env }: ExecTarget): Attempt {
  return async (timeoutMs) => {
    try {
      const request = { args: command, ...(env ? { env } : {}), timeoutMs, maxOutput: MAX_OUTPUT };
      const { exitCode, stdout, stderr, timedOut } = await sandbox.exec(container, request);
      if (timedOut)
        return { ok: false, message: `command timed out: "${command.join(' ')}" timed out after ${timeoutMs} ms` };
      const output = Buffer.concat([stdout, stderr]).toString('utf8').slice(0, MAX_OUTPUT);
      if (exitCode === 0) return { ok: true, message: output };
      return { ok: false, message: output.trim() || `command exited with ${exitCode}` };
    } catch (error) {
      if (!hasCode(error, ...CANNOT_RUN)) return undefined;
      return { ok: false, message: error instanceof Error ? error.message : String(error) };
    }
  };
}

/** Finds the address of a host given by name, then asks that. */
export function lookupAttempt(
  host: string,
  ask: (address: string, timeoutMs: number) => Promise<ProbeVerdict>,
): Attempt {
  return async (timeoutMs) => {
    const deadline = performance.now() + timeoutMs;
    const found = await within(
      lookup(host).catch((error: Error) => error),
      timeoutMs,
    );
    if (found === undefined) return { ok: false, message: `lookup ${host}: i/o timeout` };
    if (found instanceof Error) return { ok: false, message: found.message };
    return ask(found.address, Math.max(1, deadline - performance.now()));
  };
}

/** GET over HTTP or HTTPS, certificates not checked, redirects followed within the host. */
export function httpAttempt(target: HttpTarget): Attempt {
  return async (timeoutMs) => {
    const { scheme, host, port, path } = target;
    const name = host.includes(':') ? `[${host}]` : host;
    const origin = `${scheme.toLowerCase()}://${name}:${port}`;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), timeoutMs);
    let url = origin;
    try {
      const first = new URL(path.startsWith('/') ? `${origin}${path}` : `${origin}/${path}`);
      url = first.href;
      return await follow(first, target, abort.signal);
    } catch (error) {
      const why = abort.signal.aborted ? `timeout of ${timeoutMs} ms exceeded` : (error as Error).message;
      return { ok: false, message: `Get "${url}": ${why}` };
    } finally {
      clearTimeout(timer);
      abort.abort();
    }
  };
}

async function follow(first: URL, target: HttpTarget, signal: AbortSignal): Promise<ProbeVerdict> {
  let url = first;
  for (let hop = 0; hop < MAX_REDIRECTS; hop++) {
    const { status, location } = await get(url, target, hop > 0 && url.host !== first.host, signal);
    if (location === undefined || ![301, 302, 303, 307, 308].includes(status)) {
      const ok = target.anyStatus === true || (status >= 200 && status < 400);
      return { ok, message: ok ? `HTTP ${status}` : `HTTP probe failed with statuscode: ${status}` };
    }
    const next = new URL(location, url);
    // The container has answered; another host's health is not its own.
    if (next.hostname !== first.hostname)
      return { ok: true, message: `Probe terminated redirects, Location: ${next.href.slice(0, 200)}` };
    if (next.protocol !== 'http:' && next.protocol !== 'https:')
      return { ok: false, message: `redirected to nowhere: '${next.href.slice(0, 200)}'` };
    url = next;
  }
  return { ok: false, message: `Get "${first.href}": stopped after ${MAX_REDIRECTS} redirects` };
}

async function get(
  url: URL,
  { headers }: HttpTarget,
  elsewhere: boolean,
  signal: AbortSignal,
): Promise<{ status: number; location?: string | undefined }> {
  const own = headers.filter(({ name }) => !(elsewhere && name.toLowerCase() === 'host'));
  const options: RequestOptions & { rejectUnauthorized: boolean } = {
    agent: false,
    headers: { 'User-Agent': userAgent, Accept: '*/*', Connection: 'close', ...asObject(own) },
    rejectUnauthorized: false,
    maxHeaderSize: 32 * 1024,
    signal,
  };
  // Imported when the first such probe is asked: most boards have none.
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; location?: string | undefined }>();
  const sent = request(url, options, (response) => {
    let size = 0;
    const done = () => {
      resolve({ status: response.statusCode ?? 0, location: response.headers.location });
      sent.destroy();
    };
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size >= MAX_BODY) done();
    });
    response.on('end', done);
    response.on('error', reject);
  });
  sent.on('error', reject);
  sent.end();
  return promise;
}

/** Repeated headers become lists; names that differ in case only are the same header, the last spelling wins. */
function asObject(headers: HttpTarget['headers']): Record<string, string | string[]> {
  const result: Record<string, string | string[]> = {};
  const spelling = new Map<string, string>([
    ['user-agent', 'User-Agent'],
    ['accept', 'Accept'],
  ]);
  for (const { name, value } of headers) {
    const key = spelling.get(name.toLowerCase()) ?? name;
    spelling.set(name.toLowerCase(), key);
    const before = result[key];
    result[key] = before === undefined ? value : [before, value].flat();
  }
  return result;
}

async function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
