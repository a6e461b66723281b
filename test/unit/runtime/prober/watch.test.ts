import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExecRequest, ProbeTiming, Sandbox } from '../../../../src/pods/ports.ts';
import { RuntimeError } from '../../../../src/runtime/errors.ts';
import { execAttempt } from '../../../../src/runtime/prober/attempts.ts';
import { watchAttempt } from '../../../../src/runtime/prober/watch.ts';

const timing: ProbeTiming = {
  initialDelayMs: 0,
  periodMs: 5,
  timeoutMs: 100,
  successThreshold: 1,
  failureThreshold: 2,
};
const answer = {
  exitCode: 0,
  signal: 0,
  stdout: new Uint8Array(),
  stderr: new Uint8Array(),
  truncated: false,
  timedOut: false,
};

/** What the shim would say, one after the other. */
function scripted(says: (() => Partial<typeof answer>)[]): { sandbox: Sandbox; requests: ExecRequest[] } {
  const requests: ExecRequest[] = [];
  const exec = async (_name: string, request: ExecRequest) => {
    requests.push(request);
    const next = says.length > 1 ? says.shift()! : says[0]!;
    return { ...answer, ...next() };
  };
  return { sandbox: { exec } as unknown as Sandbox, requests };
}

test('a command in the container: code, output, time', async () => {
  const { sandbox, requests } = scripted([
    () => ({ exitCode: 0, stdout: Buffer.from('fine') }),
    () => ({ exitCode: 3, stderr: Buffer.from('no\n') }),
    () => ({ exitCode: 137, timedOut: true }),
    () => {
      throw new RuntimeError({ step: 'exec', code: 'ENOENT' });
    },
    () => {
      throw new RuntimeError({ step: 'shim-exec', code: 'ESHIMLOST' });
    },
  ]);
  const ask = execAttempt({ sandbox, container: 'main', command: ['check', '-a'] });
  assert.deepEqual(await ask(1000), { ok: true, message: 'fine' });
  assert.deepEqual(await ask(1000), { ok: false, message: 'no' });
  assert.match((await ask(1000))!.message, /timed out after 1000 ms/);
  assert.equal((await ask(1000))!.ok, false, 'a command that is not there');
  assert.equal(await ask(1000), undefined, 'nobody was asked');
  assert.deepEqual(requests[0], { args: ['check', '-a'], timeoutMs: 1000, maxOutput: 10240 });
});

test('changes and failures are told, and nothing after stop()', async () => {
  const says = [true, true, false, false, false, true].map((ok, n) => async () => ({ ok, message: `${n}` }));
  const seen: boolean[] = [];
  const failures: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const watch = watchAttempt(
    async (timeoutMs) => {
      const next = says.shift();
      if (!next) return undefined;
      assert.equal(timeoutMs, 100);
      return next();
    },
    timing,
    {
      onVerdict({ ok }) {
        seen.push(ok);
        if (seen.length === 3) {
          watch.stop();
          resolve();
        }
      },
      onFailure: (message) => failures.push(message),
    },
  );
  const alive = setInterval(() => {}, 1000);
  await promise;
  clearInterval(alive);
  assert.deepEqual(seen, [true, false, true]);
  assert.deepEqual(failures, ['2', '4'], 'failures before and after the verdict');
});

test('what could not be asked is tried three times and then counts for nothing', async () => {
  let asked = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const alive = setInterval(() => {}, 1000);
  const watch = watchAttempt(
    async () => {
      asked += 1;
      if (asked <= 6) return undefined;
      resolve();
      return { ok: false, message: 'down' };
    },
    { ...timing, failureThreshold: 2 },
    { onVerdict: () => assert.fail('one failure is below the threshold'), onFailure: () => {} },
  );
  await promise;
  watch.stop();
  clearInterval(alive);
  assert.equal(asked, 7);
});
