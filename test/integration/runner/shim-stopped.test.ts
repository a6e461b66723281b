/** Containers that stop what the shim starts within their reach, before it has become a program. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ShimClient } from './shim-client.ts';
import { eventually, ShimPod } from './shim-pod.ts';

/**
 * Sends requests until one hangs, and returns how that one is called. The stopper strikes many times while a start lasts,
 * but whether it runs then is the scheduler's to say: on a busy machine a start slips through now and then.
 */
async function untilOneHangs(client: ShimClient, send: (id: number) => void, undo?: (id: number) => Promise<unknown>) {
  for (let id = 900; id < 950; id++) {
    const answered = () => client.messages.some((message) => message.id === id);
    send(id);
    for (let waited = 0; waited < 500 && !answered(); waited += 20) await sleep(20);
    if (!answered()) return id;
    await undo?.(id);
  }
  throw new Error('the stopper never was the faster one');
}

test('an exec that the container stops ends at its timeout; meanwhile the shim serves everybody else', async () => {
  const pod = ShimPod.open();
  const client = await pod.connect();
  await client.request('start', pod.prepare('evil', ['stopper']));
  await client.request('start', pod.prepare('good', ['sleeper']));
  await Promise.all([pod.ready('evil'), pod.ready('good')]);
  pod.addProgram('exit');
  const args = ['/bin/exit', '7'];
  const exec = { method: 'exec', params: { name: 'evil', args, timeoutMs: 3000 } };
  const stopped = await untilOneHangs(client, (id) => client.line(JSON.stringify({ id, ...exec })));
  const good = await client.request('exec', { name: 'good', args, timeoutMs: 60_000 });
  assert.equal(good.exitCode, 7);
  const { result } = await client.until('the end of the stopped exec', ({ id }) => id === stopped);
  assert.deepEqual([result?.timedOut, result?.signal], [true, 9]);
  // With descriptors of its own it is answered when it has started: never. It goes with whoever asked.
  const other = await pod.connect();
  await untilOneHangs(other, (id) => {
    const request = { id, method: 'exec', params: { name: 'evil', args } };
    other.line(`!fds /dev/null /dev/null /dev/null ${JSON.stringify(request)}`);
  });
  await other.request('hello');
  assert.deepEqual(await pod.close(), []);
});

test('a start that another container of the PID namespace stops can be stopped, and holds up nobody else', async () => {
  const pod = ShimPod.open({ namespaces: { pid: 'pod' } });
  const client = await pod.connect();
  const shared = {
    config: (config: { linux: { namespaces: { type: string; path?: string }[] } }) => {
      for (const namespace of config.linux.namespaces) if (namespace.type === 'pid') namespace.path = '/pod';
    },
  };
  await client.request('start', pod.prepare('good', ['sleeper'], shared));
  await client.request('start', pod.prepare('evil', ['stopper'], shared));
  await Promise.all([pod.ready('evil'), pod.ready('good')]);
  const stop = (id: number) => client.request('stop', { name: `late-${id}`, graceMs: 0 });
  const start = (id: number) => pod.prepare(`late-${id}`, ['sleeper'], shared);
  const line = (id: number) => client.line(JSON.stringify({ id, method: 'start', params: start(id) }));
  const late = await untilOneHangs(client, line, stop);
  await client.request('kill', { name: 'evil' });
  await eventually('the end of evil', () => client.messages.some(({ event }) => event?.container === 'evil'));
  await stop(late);
  const { error } = await client.until('an answer to the start', ({ id }) => id === late);
  assert.deepEqual([error?.step, error?.code], ['start', 'ECANCELED']);
  assert.deepEqual(pod.cgroupDirs(`late-${late}`), []);
  assert.deepEqual(await pod.close(), []);
});

test('what asks for a container that is being started is answered when that has come out', async () => {
  const pod = ShimPod.open({ namespaces: { pid: 'pod' } });
  const client = await pod.connect();
  const start = client.ask('start', pod.prepare('main', ['sleeper']));
  const [signalled, hello] = await Promise.all([
    client.ask('signal', { name: 'main', signal: 'SIGURG' }),
    client.request('hello'),
  ]);
  assert.ok((await start).result);
  assert.deepEqual(signalled.result, {});
  assert.deepEqual(
    (hello.containers as { name: string }[]).map(({ name }) => name),
    ['main'],
  );
  // Stopped while it starts, by its own signal, with time to end: never killed in its set-up.
  const second = client.ask('start', pod.prepare('second', ['sleeper', '3']));
  await client.request('stop', { name: 'second', signal: 'SIGKILL', graceMs: 60_000 });
  assert.ok((await second).result);
  await eventually('its end', () => client.messages.some(({ event }) => event?.container === 'second'));
  assert.deepEqual(await pod.close(), []);
});

test('a start that joins a container waits for it as the others do, also for one that is stopped', async () => {
  const pod = ShimPod.open({ namespaces: { pid: 'pod' } });
  const client = await pod.connect();
  const joining = (name: string, pidTarget: string) => ({ ...pod.prepare(name, ['sleeper']), pidTarget });
  const both = [client.ask('start', pod.prepare('main', ['sleeper'])), client.ask('start', joining('look', 'main'))];
  for (const { result } of await Promise.all(both)) assert.ok(result);

  const shared = {
    config: (config: { linux: { namespaces: { type: string; path?: string }[] } }) => {
      for (const namespace of config.linux.namespaces) if (namespace.type === 'pid') namespace.path = '/pod';
    },
  };
  await client.request('start', pod.prepare('evil', ['stopper'], shared));
  await pod.ready('evil');
  // Nobody answers these two: their asker goes.
  const ask = (id: number, params: object) => client.line(JSON.stringify({ id, method: 'start', params }));
  const stop = (id: number) => client.request('stop', { name: `late-${id}`, graceMs: 0 });
  const late = await untilOneHangs(client, (id) => ask(id, pod.prepare(`late-${id}`, ['sleeper'], shared)), stop);
  ask(1000, joining('never', `late-${late}`));
  const other = await pod.connect({ hello: false }); // what waits goes with whoever asked
  await other.request('kill', { name: 'evil' });
  await other.request('stop', { name: `late-${late}`, graceMs: 0 });
  assert.deepEqual(pod.cgroupDirs('never'), []);
  assert.deepEqual(await pod.close(), []);
});
