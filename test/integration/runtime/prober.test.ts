/** Probes of the addon's thread against servers that are there, that are not, and that mean harm. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttp, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { ProbeTarget, ProbeTiming, ProbeVerdict } from '../../../src/pods/ports.ts';
import { loadAddon } from '../../../src/runtime/native.ts';
import { NativeProber } from '../../../src/runtime/prober/prober.ts';
import { patience } from '../../patience.ts';

const prober = new NativeProber(loadAddon());
const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const http = (port: number, path = '/', change: object = {}): ProbeTarget => ({
  http: { host: '127.0.0.1', port, path, scheme: 'HTTP', headers: [], ...change },
});
const serve = (listener: RequestListener) => listen(createHttp(listener));
const raw = (onSocket: (socket: Socket) => void) =>
  listen(
    createTcp((socket) => {
      socket.on('error', () => {});
      onSocket(socket);
    }),
  );

/** For an answer that comes at once: a busy machine may take its time, a lost event is found all the same. */
const PATIENCE_MS = patience(10_000);

describe('probes', { timeout: patience(60_000) }, () => {
  test('HTTP: what is sent, and which statuses are well', async () => {
    const seen: IncomingMessage[] = [];
    const port = await serve((request, response) => {
      seen.push(request);
      response.statusCode = Number(/\d+/.exec(request.url!)?.[0] ?? 200);
      response.end('body');
    });
    const headers = [
      { name: 'Host', value: 'web.example' },
      { name: 'X-Probe', value: 'a b' },
    ];
    assert.deepEqual(await prober.once(http(port, '/204?q=1', { headers }), PATIENCE_MS), {
      ok: true,
      message: 'HTTP 204',
    });
    const { method, url, headers: got } = seen[0]!;
    assert.deepEqual([method, url], ['GET', '/204?q=1']);
    assert.equal(got.host, 'web.example');
    assert.equal(got['x-probe'], 'a b');
    assert.match(got['user-agent']!, /^kube-probe\//);
    assert.equal(got.accept, '*/*');
    for (const status of [200, 304, 399]) assert.ok((await prober.once(http(port, `/${status}`), PATIENCE_MS)).ok);
    for (const status of [400, 404, 500, 503])
      assert.deepEqual(await prober.once(http(port, `/${status}`), PATIENCE_MS), {
        ok: false,
        message: `HTTP probe failed with statuscode: ${status}`,
      });
  });

  test('HTTP: redirects within the host are followed, ten at most; another host has answered', async () => {
    const seen: string[] = [];
    const port = await serve((request, response) => {
      seen.push(request.url!);
      if (request.url === '/end') return response.end();
      const to: Record<string, string> = {
        '/a/b': '../c?x=1',
        '/c?x=1': `http://127.0.0.1:${port}/end`,
        '/far': 'http://other.example/',
      };
      response.writeHead(302, { Location: to[request.url!] ?? '/loop' }).end();
    });
    assert.ok((await prober.once(http(port, '/a/b'), PATIENCE_MS)).ok);
    assert.deepEqual(seen, ['/a/b', '/c?x=1', '/end']);
    const far = await prober.once(http(port, '/far'), PATIENCE_MS);
    assert.ok(far.ok);
    assert.match(far.message, /terminated redirects.*other\.example/);
    seen.length = 0;
    const loop = await prober.once(http(port, '/loop'), PATIENCE_MS);
    assert.match(loop.message, /stopped after 10 redirects/);
    assert.deepEqual([loop.ok, seen.length], [false, 10]);
  });

  test('HTTPS with a certificate nobody knows, asked for, or redirected to', async () => {
    const dir = mkdtempSync('/var/tmp/edgepod-probe-');
    const [key, cert] = [join(dir, 'key'), join(dir, 'cert')];
    const args = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-subj',
      '/CN=x',
    ];
    execFileSync('openssl', [...args, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const server = createHttps({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      response.statusCode = request.url === '/bad' ? 500 : 200;
      response.end();
    });
    const port = await listen(server);
    const scheme = 'HTTPS';
    assert.deepEqual(await prober.once(http(port, '/', { scheme }), 5000), { ok: true, message: 'HTTP 200' });
    assert.equal((await prober.once(http(port, '/bad', { scheme }), 5000)).ok, false);
    const plain = await serve((request, response) => {
      response.writeHead(301, { Location: `https://127.0.0.1:${port}${request.url}` }).end();
    });
    assert.ok((await prober.once(http(plain, '/'), 5000)).ok);
    assert.equal((await prober.once(http(plain, '/bad'), 5000)).ok, false);
    assert.ok((await first(http(plain, '/'), { failureThreshold: 1 })).ok);
    rmSync(dir, { recursive: true });
  });

  test('TCP: somebody listens or nobody does', async () => {
    const port = await raw((socket) => socket.end());
    assert.ok((await prober.once({ tcp: { host: '127.0.0.1', port } }, PATIENCE_MS)).ok);
    assert.ok((await prober.once({ tcp: { host: 'localhost', port } }, PATIENCE_MS)).ok, 'by name');
    const gone = createTcp().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const free = (gone.address() as AddressInfo).port;
    await new Promise((resolve) => gone.close(resolve));
    const verdict = await prober.once({ tcp: { host: '127.0.0.1', port: free } }, PATIENCE_MS);
    assert.deepEqual([verdict.ok, /Connection refused/i.test(verdict.message)], [false, true]);
  });

  test('gRPC health: serving, not serving, unknown service, no gRPC at all', async () => {
    const status: Record<string, number> = { '': 1, down: 2, '%long%': 1 };
    const server = createHttp2();
    server.on('stream', (stream, headers) => {
      assert.equal(headers[':path'], '/grpc.health.v1.Health/Check');
      assert.equal(headers['content-type'], 'application/grpc');
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const body = Buffer.concat(chunks).subarray(5);
        const service = body.length === 0 ? '' : body.subarray(2).toString();
        const value = status[service];
        if (value === undefined) {
          stream.respond(
            { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' },
            { endStream: true },
          );
          return;
        }
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(Buffer.from([0, 0, 0, 0, 2, 8, value]));
      });
    });
    const port = await listen(server as unknown as Server);
    const grpc = (service: string, at = port): ProbeTarget => ({ grpc: { host: '127.0.0.1', port: at, service } });
    assert.deepEqual(await prober.once(grpc(''), PATIENCE_MS), { ok: true, message: 'SERVING' });
    assert.deepEqual(await prober.once(grpc('down'), PATIENCE_MS), {
      ok: false,
      message: 'service unhealthy (responded with "NOT_SERVING")',
    });
    assert.match((await prober.once(grpc('nobody'), PATIENCE_MS)).message, /did not answer.*"nobody"/);
    const web = await serve((_, response) => response.end());
    assert.match((await prober.once(grpc('', web), PATIENCE_MS)).message, /does not speak HTTP\/2/);
  });

  test('servers that mean harm cost a timeout and nothing else', async () => {
    const flood = (head: string) =>
      raw((socket) => {
        socket.write(head);
        const more = () => {
          while (!socket.destroyed && socket.write('a'.repeat(4000)));
          socket.once('drain', more);
        };
        more();
      });
    const silent = await raw(() => {});
    assert.match((await prober.once(http(silent), 100)).message, /timeout while awaiting headers/);
    const half = await raw((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab'));
    assert.match((await prober.once(http(half), 100)).message, /timeout while awaiting the body/);
    const line = await flood('HTTP/1.1 200 ');
    assert.match((await prober.once(http(line), 5000)).message, /line over 8 KiB/);
    const garbage = await flood('\0\xff');
    assert.equal((await prober.once(http(garbage), 5000)).ok, false);
    assert.equal((await prober.once({ grpc: { host: '127.0.0.1', port: garbage, service: '' } }, 5000)).ok, false);
    const endless = await flood('HTTP/1.1 200 OK\r\n\r\n');
    assert.deepEqual(await prober.once(http(endless), 5000), { ok: true, message: 'HTTP 200' }, 'reads 10 KiB of it');
    const closes = await raw((socket) => socket.end());
    assert.match((await prober.once(http(closes), PATIENCE_MS)).message, /EOF|reset/i);
    const resets = await raw((socket) => socket.resetAndDestroy());
    assert.equal((await prober.once(http(resets), PATIENCE_MS)).ok, false);
  });

  test('requests that could smuggle are refused before they are sent', async () => {
    const bad = [{ name: 'X', value: 'a\r\nGET / HTTP/1.1' }];
    assert.throws(() => prober.watch(http(80, '/', { headers: bad }), timing(), () => {}), { code: 'EINVAL' });
    assert.match((await prober.once(http(80, '/', { headers: bad }), PATIENCE_MS)).message, /control character/);
    assert.throws(() => prober.watch({ tcp: { host: '127.0.0.1', port: 0 } }, timing(), () => {}), { code: 'EINVAL' });
  });

  test('a watch tells changes only, at the thresholds, and nothing after stop()', async () => {
    let up = true;
    let asked = 0;
    const port = await serve((_, response) => {
      asked += 1;
      response.statusCode = up ? 200 : 500;
      response.end();
    });
    const verdicts: ProbeVerdict[] = [];
    let wake = () => {};
    const next = async (count: number) => {
      while (verdicts.length < count) await new Promise<void>((resolve) => (wake = resolve));
    };
    const watch = prober.watch(http(port), timing({ periodMs: 10, failureThreshold: 3 }), (verdict) => {
      verdicts.push(verdict);
      wake();
    });
    await next(1);
    up = false;
    const before = asked;
    await next(2);
    assert.ok(asked >= before + 3, `${asked - before} answers made a verdict of three`);
    up = true;
    await next(3);
    const told = asked;
    while (asked < told + 5) await new Promise((resolve) => setTimeout(resolve, 5));
    watch.stop();
    watch.stop();
    up = false;
    assert.deepEqual(
      verdicts.map(({ ok }) => ok),
      [true, false, true],
    );
    // Another probe goes all the way round after the stop: were the first one still asked, it would show.
    const stopped = asked;
    await first({ tcp: { host: '127.0.0.1', port } }, { initialDelayMs: 60 });
    assert.ok(asked <= stopped + 1, 'one may have been under way');
    assert.equal(verdicts.length, 3);
  });
});

function timing(change: Partial<ProbeTiming> = {}): ProbeTiming {
  return { initialDelayMs: 0, periodMs: 10, timeoutMs: 1000, successThreshold: 1, failureThreshold: 1, ...change };
}

/** The first verdict of a watch. */
async function first(target: ProbeTarget, change: Partial<ProbeTiming> = {}): Promise<ProbeVerdict> {
  const { promise, resolve } = Promise.withResolvers<ProbeVerdict>();
  const alive = setInterval(() => {}, 1000);
  const watch = prober.watch(target, timing(change), resolve);
  const verdict = await promise;
  watch.stop();
  clearInterval(alive);
  return verdict;
}
