import assert from 'node:assert/strict';
import { test } from 'node:test';
import pino from 'pino';
import { exec } from '../../../src/agent/calls/exec.ts';
import type { PodManager } from '../../../src/pods/manager.ts';
import type { RunningExec, StreamRequest } from '../../../src/pods/ports.ts';

const log = pino({ level: 'silent' });
const context = { method: 'exec', signal: new AbortController().signal, fits: () => true };

/** A manager with one pod whose container `c` runs, and what it was asked. */
function fakeManager(running: Partial<RunningExec> = {}) {
  const requests: StreamRequest[] = [];
  let kills = 0;
  const manager = {
    describe: (_: string, name: string) =>
      name === 'web'
        ? { pod: { spec: { containers: [{ name: 'c' }] } }, containers: [{ name: 'c', pid: 7 }, { name: 'ended' }] }
        : undefined,
    exec: async (...[, , , request]: [string, string, string, StreamRequest]) => {
      requests.push(request);
      return {
        output: (async function* () {
          yield { stream: 'stdout', data: Buffer.alloc(70_000, 'x') } as const;
        })(),
        ended: Promise.resolve({ exitCode: 3, signal: 0, timedOut: false }),
        kill: () => kills++,
        ...running,
      };
    },
  } as unknown as PodManager;
  return { manager, requests, kills: () => kills };
}

async function all(
  params: object,
  fake: ReturnType<typeof fakeManager> & { allowed?: boolean; fits?: (value: unknown) => boolean } = fakeManager(),
) {
  const { allowed = true, fits = context.fits } = fake;
  const answers: Record<string, unknown>[] = [];
  for await (const answer of exec({ manager: fake.manager, allowed, log }, params as Record<string, unknown>, {
    ...context,
    fits,
  }))
    answers.push(answer as Record<string, unknown>);
  return answers;
}

test('a start, pieces of bounded size, the exit code; nothing is left running', async () => {
  const fake = fakeManager();
  const [started, ...rest] = await all({ name: 'web', command: ['ls'], stdin: 'aGk=', timeoutSeconds: 1.5 }, fake);
  assert.deepEqual(started, { started: true });
  assert.deepEqual(rest.at(-1), { exitCode: 3 });
  const sizes = rest.slice(0, -1).map(({ data }) => Buffer.from(String(data), 'base64').length);
  assert.deepEqual(sizes, [32_768, 32_768, 4464]);
  assert.deepEqual(fake.requests, [{ args: ['ls'], stdin: Buffer.from('hi'), timeoutMs: 1500 }]);
  assert.equal(fake.kills(), 1);
});

test('where the broker takes less, pieces are smaller, and nothing is lost', async () => {
  const fits = (value: unknown) => JSON.stringify(value).length <= 1000;
  const answers = await all({ name: 'web', command: ['ls'] }, { ...fakeManager(), fits });
  assert.ok(answers.every(fits));
  const data = answers.flatMap((answer) => ('data' in answer ? Buffer.from(String(answer.data), 'base64') : []));
  assert.equal(Buffer.concat(data).length, 70_000);
});

test('a time-out is an error, as is too much output', async () => {
  const ended = Promise.resolve({ exitCode: 137, signal: 9, timedOut: true });
  await assert.rejects(all({ name: 'web', command: ['x'] }, fakeManager({ ended })), { code: 'DeadlineExceeded' });
  const endless = (async function* () {
    for (;;) yield { stream: 'stderr', data: Buffer.alloc(1 << 20) } as const;
  })();
  const fake = fakeManager({ output: endless });
  await assert.rejects(all({ name: 'web', command: ['x'] }, fake), { code: 'TooLarge' });
  assert.equal(fake.kills(), 1);
});

for (const [why, params, code] of [
  ['no command', { name: 'web' }, 'InvalidParams'],
  ['an empty command', { name: 'web', command: [] }, 'InvalidParams'],
  ['a command that is text', { name: 'web', command: 'ls' }, 'InvalidParams'],
  ['a NUL in a word', { name: 'web', command: ['a\0b'] }, 'InvalidParams'],
  ['no name', { command: ['ls'] }, 'InvalidParams'],
  ['a time of no sense', { name: 'web', command: ['ls'], timeoutSeconds: 0 }, 'InvalidParams'],
  ['more than an hour', { name: 'web', command: ['ls'], timeoutSeconds: 3601 }, 'InvalidParams'],
  ['another pod', { name: 'db', command: ['ls'] }, 'NotFound'],
  ['another container', { name: 'web', container: 'x', command: ['ls'] }, 'NotFound'],
  ['a container that ended', { name: 'web', container: 'ended', command: ['ls'] }, 'NotRunning'],
] as const)
  test(`${why}: ${code}, and nothing is run`, async () => {
    const fake = fakeManager();
    await assert.rejects(all(params, fake), { code });
    assert.deepEqual(fake.requests, []);
  });

test('a device that does not allow it says which setting would', async () => {
  const fake = { ...fakeManager(), allowed: false };
  await assert.rejects(all({ name: 'web', command: ['ls'] }, fake), { code: 'Forbidden', message: /remoteExec/ });
  assert.deepEqual(fake.requests, []);
});
