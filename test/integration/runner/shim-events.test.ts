import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { ShimClient, ShimEvent } from './shim-client.ts';
import { alive, eventually, openFds, ShimPod } from './shim-pod.ts';

const events = (client: ShimClient): ShimEvent[] => client.messages.flatMap(({ event }) => (event ? [event] : []));

describe('events and clients of a shim', () => {
  let pod: ShimPod;
  before(() => {
    pod = ShimPod.open();
  });
  after(async () => assert.deepEqual(await pod.close(), []));

  test('what happens while nobody is connected is told later, in order, until acknowledged', async () => {
    const first = await pod.connect();
    await first.request('start', pod.prepare('a', ['exit', '1', '100']));
    await first.request('start', pod.prepare('b', ['exit', '2', '200']));
    await first.kill();
    await eventually('both have ended', () => existsSync(`${pod.dir}/exits/b-0.json`));

    const second = await pod.connect();
    await second.event('exit', 'b');
    assert.deepEqual(
      events(second).map(({ seq, container, exit }) => [seq, container, exit?.exitCode]),
      [
        [1, 'a', 1],
        [2, 'b', 2],
      ],
    );
    await second.request('ack', { seq: 1 });
    await second.kill();

    const third = await pod.connect();
    await third.event('exit', 'b');
    assert.deepEqual(
      events(third).map(({ seq }) => seq),
      [2],
    );
    await third.request('ack', { seq: 2 });
    await third.request('ack', { seq: 1 });
    assert.equal((await third.ask('ack', { seq: 3 })).error?.code, 'ERANGE');
    assert.equal((await third.request('hello')).lastSeq, 2);
  });

  test('the newest client is served, the one before is closed', async () => {
    const old = await pod.connect();
    const young = await pod.connect();
    await old.untilClosed();
    await young.request('start', pod.prepare('c', ['exit']));
    await young.event('exit', 'c');
    assert.equal(events(old).length, 0);
  });

  test('no event is sent before hello', async () => {
    const client = await pod.connect({ hello: false });
    await client.request('start', pod.prepare('d', ['exit']));
    await eventually('d has ended', () => existsSync(`${pod.dir}/exits/d-0.json`));
    await client.request('stop', { name: 'd', graceMs: 0 });
    assert.equal(events(client).length, 0);
    await client.request('hello');
    await client.event('exit', 'd');
  });

  test('clients that die in the middle of anything cost nothing', async () => {
    const client = await pod.connect();
    await client.request('start', pod.prepare('long', ['sleeper']));
    pod.addProgram('sleeper');
    await client.kill();
    const fds = openFds(pod.shimPid);
    for (let i = 0; i < 20; i++) {
      const victim = await pod.connect({ hello: i % 2 === 0 });
      victim.line(JSON.stringify({ id: 1, method: 'exec', params: { name: 'long', args: ['/bin/sleeper'] } }));
      victim.line(JSON.stringify({ id: 2, method: 'hello' }));
      await victim.kill();
    }
    await eventually('abandoned execs are gone', () => openFds(pod.shimPid) <= fds);
    assert.ok(alive(pod.shimPid));
  });

  test('a client that does not read is not listened to, and gets everything in the end', async () => {
    const client = await pod.connect();
    client.line('!deaf');
    for (let id = 1000; id < 5000; id++) client.line(JSON.stringify({ id, method: 'hello' }));
    const other = pod.prepare('e', ['exit']);
    client.line(JSON.stringify({ id: 9999, method: 'start', params: other }));
    await setTimeout(300); // both directions fill up
    client.line('!hear');
    await client.until('the last answer', ({ id }) => id === 9999);
    assert.equal(client.messages.filter(({ id }) => Number(id) >= 1000 && Number(id) < 5000).length, 4000);
    await client.event('exit', 'e');
  });
});
