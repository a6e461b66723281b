/** Containers that stop what the shim starts within their reach, before it has become a program. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, ShimPod } from './shim-pod.ts';

test('an exec that the container stops ends at its timeout; meanwhile the shim serves everybody else', async () => {
  const pod = ShimPod.open();
  const client = await pod.connect();
  await client.request('start', pod.prepare('evil', ['stopper']));
  await client.request('start', pod.prepare('good', ['sleeper']));
  await Promise.all([pod.ready('evil'), pod.ready('good')]);
  pod.addProgram('exit');
  const args = ['/bin/exit', '7'];
  const stopped = client.request('exec', { name: 'evil', args, timeoutMs: 3000 });
  const good = await client.request('exec', { name: 'good', args, timeoutMs: 60_000 });
  assert.equal(good.exitCode, 7);
  const { timedOut, signal } = await stopped;
  assert.deepEqual([timedOut, signal], [true, 9]);
  // With descriptors of its own it is answered when it has started: never. It goes with whoever asked.
  const other = await pod.connect();
  other.line(
    `!fds /dev/null /dev/null /dev/null ${JSON.stringify({ id: 900, method: 'exec', params: { name: 'evil', args } })}`,
  );
  await other.request('hello');
  assert.equal(
    other.messages.some(({ id }) => id === 900),
    false,
  );
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
  const stopped = client.ask('start', pod.prepare('late', ['sleeper'], shared));
  await client.request('kill', { name: 'evil' });
  await eventually('the end of evil', () => client.messages.some(({ event }) => event?.container === 'evil'));
  await client.request('stop', { name: 'late', graceMs: 0 });
  const { error } = await stopped;
  assert.deepEqual([error?.step, error?.code], ['start', 'ECANCELED']);
  assert.deepEqual(pod.cgroupDirs('late'), []);
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
  client.line(JSON.stringify({ id: 900, method: 'start', params: pod.prepare('late', ['sleeper'], shared) }));
  client.line(JSON.stringify({ id: 901, method: 'start', params: joining('never', 'late') }));
  const other = await pod.connect({ hello: false }); // what waits goes with whoever asked
  await other.request('kill', { name: 'evil' });
  await other.request('stop', { name: 'late', graceMs: 0 });
  assert.deepEqual(pod.cgroupDirs('never'), []);
  assert.deepEqual(await pod.close(), []);
});
