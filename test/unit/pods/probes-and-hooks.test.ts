/** What probes and hooks decide, over faked ports. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bench } from './bench.ts';
import { settle } from './fake-time.ts';
import { container, desired, pod, tombstone } from './fixtures.ts';
import { condition, exit, hook, probe, started, stops } from './group-words.ts';

describe('probes', () => {
  const probed = { startupProbe: probe('up'), livenessProbe: probe('alive'), readinessProbe: probe('ready') };

  test('startup gates the others; readiness decides ready and nothing else', async () => {
    const b = await bench();
    await b.apply(desired(pod('p', { containers: [container('web', probed)] })));
    assert.deepEqual(b.prober.names(), ['up']);
    assert.equal(b.container('p').started, false);
    b.prober.say('up', true);
    await settle();
    assert.deepEqual(b.prober.names(), ['alive', 'ready']);
    assert.deepEqual([b.container('p').started, b.container('p').ready], [true, false]);
    b.prober.say('ready', true);
    await settle();
    assert.equal(condition(b, 'Ready')?.status, 'True');
    b.prober.say('ready', false, 'no');
    await settle();
    assert.equal(condition(b, 'Ready')?.message, 'containers with unready status: [web]');
    assert.deepEqual(b.sandbox().stops, []);
  });

  test('a liveness failure stops with the grace of the probe and restarts whatever the exit code', async () => {
    const b = await bench();
    const livenessProbe = probe('alive', { terminationGracePeriodSeconds: 5 });
    await b.apply(desired(pod('p', { restartPolicy: 'OnFailure', containers: [container('web', { livenessProbe })] })));
    b.prober.say('alive', false, 'exit 1');
    await settle();
    assert.deepEqual(b.sandbox().stops, [{ container: 'web', signal: 'SIGQUIT', graceMs: 5_000 }]);
    assert.deepEqual(b.prober.names(), [], 'on hold until there is a new container');
    await exit(b, 'web', 0);
    assert.deepEqual(started(b), ['web/0', 'web/1']);
    assert.deepEqual(b.prober.names(), ['alive']);
    await b.time.advance(50);
    assert.ok(b.events.some(({ message }) => message === 'Container web failed liveness probe, will be restarted'));
  });

  test('an agent that comes back asks anew and restarts nothing; an end begun is gone on with', async () => {
    const b = await bench();
    await b.apply(desired(pod('p', { containers: [container('web', probed)] })));
    b.prober.say('up', true);
    await settle();
    b.crash();
    await b.boot();
    assert.deepEqual(b.prober.names(), ['up']);
    assert.deepEqual(started(b), ['web/0']);
    b.prober.say('up', false);
    await settle();
    b.crash();
    await b.boot();
    assert.equal(b.sandbox().stops.length, 2);
    await exit(b, 'web', 0);
    assert.deepEqual(started(b), ['web/0', 'web/1']);
  });

  test('a pod that was ready stays so for the next agent, until its probes say otherwise', async () => {
    const b = await bench();
    await b.apply(desired(pod('p', { containers: [container('web', probed), container('side')] })));
    b.prober.say('up', true);
    await settle();
    b.prober.say('ready', true);
    await b.time.advance(1_000);
    assert.equal(condition(b, 'Ready')?.status, 'True');
    b.crash();
    const seen = b.published.length;
    await b.boot();
    assert.deepEqual(b.prober.names(), ['alive', 'ready'], 'its startup is not asked again');
    const since = b.published.slice(seen).map(({ status }) => status.conditions.find(({ type }) => type === 'Ready'));
    assert.deepEqual(
      since.map((ready) => ready?.status),
      since.map(() => 'True'),
    );
    b.prober.say('ready', false);
    await settle();
    assert.equal(condition(b, 'Ready')?.status, 'False');
  });

  test('so does a container that was ready in a pod that was not', async () => {
    const b = await bench();
    const asked = (name: string) => container(name, { readinessProbe: probe(name) });
    await b.apply(desired(pod('p', { containers: [asked('good'), asked('bad')] })));
    b.prober.say('good', true);
    b.prober.say('bad', false);
    await b.time.advance(1_000);
    b.crash();
    const seen = b.published.length;
    await b.boot();
    const told = b.published.slice(seen).map(({ status }) => status.containerStatuses.map(({ ready }) => ready));
    assert.deepEqual(
      told,
      told.map(() => [true, false]),
    );
    assert.deepEqual(
      b.status('p').containerStatuses.map(({ ready }) => ready),
      [true, false],
    );
  });

  test('a probe that is sent elsewhere succeeds, with a warning', async () => {
    const b = await bench();
    await b.apply(desired(pod('p', { containers: [container('web', { livenessProbe: probe('alive') })] })));
    b.prober.say('alive', true, 'Probe terminated redirects, Location: http://0.0.0.0/');
    await b.time.advance(50);
    const [warning] = b.events.filter(({ reason }) => reason === 'ProbeWarning');
    assert.equal(warning?.message, 'Liveness probe warning: Probe terminated redirects, Location: http://0.0.0.0/');
    assert.deepEqual(stops(b), []);
  });

  test('every failure is told, below the threshold too, as one series; of a deleted pod readiness is still asked', async () => {
    const b = await bench();
    const readinessProbe = probe('ready');
    await b.apply(desired(pod('p', { containers: [container('web', { readinessProbe })] })));
    b.prober.say('ready', true);
    await settle();
    b.prober.complain('ready', 'answer 1');
    b.prober.complain('ready', 'answer 2');
    await b.time.advance(50);
    const unhealthy = b.events.filter(({ reason }) => reason === 'Unhealthy');
    assert.deepEqual(
      unhealthy.map(({ message, container: name }) => [message, name]),
      [['Readiness probe failed: answer 1', 'web']],
    );
    assert.equal(condition(b, 'Ready')?.status, 'True', 'below the threshold');
    await b.apply(tombstone('p', 10));
    assert.deepEqual(b.prober.names(), ['ready']);
    assert.equal(condition(b, 'Ready')?.status, 'True');
    b.prober.say('ready', false, 'answer 3');
    await settle();
    assert.equal(condition(b, 'Ready')?.status, 'False');
  });
});

describe('hooks', () => {
  test('an httpGet hook is done when anything was answered', async () => {
    const b = await bench();
    const lifecycle = { postStart: { httpGet: { path: '/', port: 80, scheme: 'HTTP' as const, httpHeaders: [] } } };
    await b.apply(desired(pod('p', { containers: [container('web', { lifecycle })] })));
    const [asked] = b.prober.asked;
    assert.ok(asked && 'http' in asked.target && asked.target.http.anyStatus);
  });

  test('a container has not started before its postStart came through; one that fails ends it', async () => {
    const b = await bench();
    const answer = Promise.withResolvers<{ ok: boolean; message: string }>();
    b.prober.answer = () => answer.promise;
    const lifecycle = { postStart: hook('begin') };
    await b.apply(desired(pod('p', { restartPolicy: 'Never', containers: [container('web', { lifecycle })] })));
    assert.equal(b.status('p').phase, 'Pending');
    answer.resolve({ ok: false, message: 'exit 1' });
    await settle();
    assert.deepEqual(stops(b), ['web']);
    await b.time.advance(50);
    assert.ok(b.reasons().includes('FailedPostStartHook'));
    await exit(b, 'web', 143);
    assert.equal(b.status('p').phase, 'Failed');
  });

  test('a container waits for the postStart hook of one before it, not of one after it', async () => {
    const b = await bench();
    const answer = Promise.withResolvers<{ ok: boolean; message: string }>();
    b.prober.answer = () => answer.promise;
    const lifecycle = { postStart: hook('begin') };
    await b.apply(
      desired(pod('p', { containers: [container('first'), container('proxy', { lifecycle }), container('app')] })),
    );
    assert.deepEqual(started(b), ['first/0', 'proxy/0']);
    answer.resolve({ ok: true, message: '' });
    await settle();
    assert.deepEqual(started(b), ['first/0', 'proxy/0', 'app/0']);
    await exit(b, 'app', 1);
    assert.deepEqual(started(b).slice(3), ['app/1'], 'it is through');
  });

  test('nobody waits for a container with a hook that is to start later', async () => {
    const b = await bench();
    b.prober.answer = () => Promise.resolve({ ok: false, message: 'exit 1' });
    const lifecycle = { postStart: hook('begin') };
    await b.apply(desired(pod('p', { containers: [container('proxy', { lifecycle }), container('app')] })));
    assert.deepEqual(started(b), ['proxy/0'], 'its hook failed, it is being ended');
    await exit(b, 'proxy', 143);
    await exit(b, 'proxy', 143);
    assert.deepEqual(started(b), ['proxy/0', 'proxy/1', 'app/0'], 'it is in its back-off');
  });

  test('the time of a preStop hook is taken off the grace, whole seconds, never below two', async () => {
    for (const [took, left] of [
      [3_900, 7_000],
      [9_500, 2_000],
      [60_000, 2_000],
    ] as const) {
      const b = await bench();
      b.prober.answer = () => new Promise((resolve) => b.time.after(took, () => resolve({ ok: true, message: '' })));
      const lifecycle = { preStop: hook('end'), stopSignal: 'SIGUSR1' };
      await b.apply(desired(pod('p', { containers: [container('web', { lifecycle })] })));
      await b.apply(tombstone('p', 10));
      assert.deepEqual(b.prober.asked.at(-1)?.timeoutMs, 12_000, 'it may go on until SIGKILL');
      await b.time.advance(Math.min(took, 10_000));
      assert.deepEqual(b.sandbox().stops, [{ container: 'web', signal: 'SIGUSR1', graceMs: left }]);
    }
  });
});
