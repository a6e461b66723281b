/** Init containers, sidecars, probes, hooks and the order of ends, over faked ports. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Container, Probe } from '../../../src/manifest/types.ts';
import { type Bench, bench } from './bench.ts';
import { settle } from './fake-time.ts';
import { container, desired, pod, tombstone } from './fixtures.ts';

const probe = (name: string, fields: Partial<Probe> = {}): Probe => ({
  exec: { command: [name] },
  initialDelaySeconds: 0,
  periodSeconds: 10,
  timeoutSeconds: 1,
  successThreshold: 1,
  failureThreshold: 3,
  ...fields,
});
const sidecar = (name: string, fields: Partial<Container> = {}) =>
  container(name, { restartPolicy: 'Always', ...fields });
const hook = (name: string) => ({ exec: { command: [name] } });
const started = (b: Bench) => b.runtime.started.map((id) => id.slice(id.indexOf('/') + 1));
const condition = (b: Bench, wanted: string) => b.status('p').conditions.find(({ type }) => type === wanted);
const stops = (b: Bench) => b.sandbox().stops.map(({ container: name }) => name);
const exit = async (b: Bench, name: string, code = 0) => {
  b.sandbox().exit(name, code);
  await settle();
};

describe('init containers', () => {
  const two = [container('one'), container('two')];

  test('one after the other, then the containers', async () => {
    const b = await bench();
    await b.apply(desired(pod('p', { initContainers: two })));
    assert.deepEqual(started(b), ['one/0']);
    assert.equal(b.status('p').phase, 'Pending');
    assert.equal(b.container('p').state.waiting?.reason, 'PodInitializing');
    assert.equal(condition(b, 'Initialized')?.message, 'containers with incomplete status: [one two]');
    await exit(b, 'one');
    await exit(b, 'two');
    assert.deepEqual(started(b), ['one/0', 'two/0', 'web/0']);
    assert.equal(b.status('p').phase, 'Running');
    assert.equal(condition(b, 'Initialized')?.status, 'True');
  });

  for (const policy of ['Always', 'OnFailure', 'Never'] as const) {
    test(`one that fails, under ${policy}`, async () => {
      const b = await bench();
      await b.apply(desired(pod('p', { initContainers: two, restartPolicy: policy })));
      await exit(b, 'one', 1);
      assert.deepEqual(started(b), policy === 'Never' ? ['one/0'] : ['one/0', 'one/1']);
      assert.equal(b.status('p').phase, policy === 'Never' ? 'Failed' : 'Pending');
      assert.equal(b.container('p').state.waiting?.reason, 'PodInitializing');
    });
  }

  test('a lost sandbox begins again with the first, a restarted agent does not', async () => {
    const b = await bench();
    await b.apply(desired(pod('p', { initContainers: two })));
    await exit(b, 'one');
    b.crash();
    await b.boot();
    await exit(b, 'two');
    assert.deepEqual(started(b), ['one/0', 'two/0', 'web/0']);
    b.sandbox().lose();
    await settle();
    assert.deepEqual(started(b).slice(3), ['one/1']);
    assert.equal(b.status('p').phase, 'Pending');
    await exit(b, 'one');
    await exit(b, 'two');
    assert.deepEqual(started(b).slice(3), ['one/1', 'two/1', 'web/1']);
  });

  test('after a reboot too; with OnFailure what had succeeded is not done again, a run-once pod ends', async () => {
    for (const policy of ['OnFailure', 'Never'] as const) {
      const b = await bench();
      const containers = [container('web'), container('side')];
      await b.apply(desired(pod('p', { initContainers: [container('one')], containers, restartPolicy: policy })));
      await exit(b, 'one');
      await exit(b, 'web');
      b.powerCut();
      await b.boot();
      if (policy === 'Never') assert.equal(b.status('p').phase, 'Failed');
      else {
        await exit(b, 'one');
        assert.deepEqual(started(b), ['one/0', 'web/0', 'side/0', 'one/1', 'side/1']);
      }
    }
  });
});

describe('sidecars', () => {
  test('the next waits for its startup probe, and not for its restarts', async () => {
    const b = await bench();
    const initContainers = [sidecar('proxy', { startupProbe: probe('up') }), container('one')];
    await b.apply(desired(pod('p', { initContainers })));
    assert.deepEqual(started(b), ['proxy/0']);
    b.prober.say('up', true);
    await settle();
    assert.deepEqual(started(b), ['proxy/0', 'one/0']);
    await exit(b, 'proxy');
    await exit(b, 'one');
    assert.deepEqual(started(b), ['proxy/0', 'one/0', 'proxy/1', 'web/0']);
  });

  test('keeps no pod alive: it is stopped when the containers are done, and only then the pod has ended', async () => {
    const b = await bench();
    await b.apply(desired(pod('p', { initContainers: [sidecar('proxy')], restartPolicy: 'Never' })));
    await exit(b, 'web');
    assert.deepEqual(stops(b), ['proxy']);
    assert.equal(b.status('p').phase, 'Running');
    await exit(b, 'proxy', 1);
    assert.equal(b.status('p').phase, 'Succeeded');
  });

  test('end in reverse order after the containers; when the grace is over all at once', async () => {
    const initContainers = [sidecar('a'), sidecar('b')];
    const b = await bench();
    await b.apply(desired(pod('p', { initContainers })));
    await b.apply(tombstone('p', 10));
    assert.deepEqual(stops(b), ['web']);
    await b.time.advance(3_500);
    await exit(b, 'web');
    assert.deepEqual(stops(b), ['web', 'b']);
    assert.equal(b.sandbox().stops[1]?.graceMs, 7_000);
    await b.time.advance(6_500);
    assert.deepEqual(stops(b), ['web', 'b', 'a']);
    assert.equal(b.sandbox().stops[2]?.graceMs, 2_000);
  });
});

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

describe('in place', () => {
  test('a changed image restarts that container alone, whatever its policy', async () => {
    const b = await bench();
    const with2 = (image: string) =>
      desired(pod('p', { restartPolicy: 'Never', containers: [container('web', { image }), container('side')] }));
    await b.apply(with2('debian'));
    await b.apply(with2('nginx'));
    assert.deepEqual(stops(b), ['web']);
    await exit(b, 'web', 0);
    assert.deepEqual(started(b), ['web/0', 'side/0', 'web/1']);
  });

  for (const change of [
    { image: 'nginx' },
    { resources: { limits: { memory: '200' }, requests: { memory: '200' } } },
  ]) {
    test(`the back-off begins anew with other ${Object.keys(change)}`, async () => {
      const b = await bench();
      const first = { resources: { limits: { memory: '100' }, requests: { memory: '100' } } };
      const of = (fields: object) => desired(pod('p', { containers: [container('web', { ...first, ...fields })] }));
      await b.apply(of({}));
      await exit(b, 'web', 1);
      await exit(b, 'web', 1);
      assert.match(b.container('p').state.waiting?.message ?? '', /^back-off 10s/);
      await b.apply(of(change));
      assert.deepEqual(started(b), ['web/0', 'web/1', 'web/2'], 'at once');
      await exit(b, 'web', 1);
      assert.match(b.container('p').state.waiting?.message ?? '', /^back-off 10s/);
      await b.time.advance(10_000);
      await exit(b, 'web', 1);
      assert.match(b.container('p').state.waiting?.message ?? '', /^back-off 20s/, 'and grows again');
    });
  }

  for (const restartPolicy of ['NotRequired', 'RestartContainer'] as const) {
    test(`a changed limit: ${restartPolicy}`, async () => {
      const b = await bench();
      const of = (memory: string) => {
        const resources = { limits: { memory }, requests: { memory } };
        const resizePolicy = [{ resourceName: 'memory', restartPolicy }];
        return desired(pod('p', { containers: [container('web', { resources, resizePolicy })] }));
      };
      await b.apply(of('100'));
      await b.apply(of('200'));
      if (restartPolicy === 'NotRequired') {
        const { updates } = b.sandbox();
        assert.deepEqual(
          updates.map(({ container: name }) => name),
          [undefined, 'web', undefined],
          'room first, then the container, then what the pod is to have',
        );
        assert.deepEqual(updates[1]?.resources, { memory: { limit: 200 } });
        assert.deepEqual(b.container('p').resources?.limits, { memory: '200' });
        b.crash();
        await b.boot();
        assert.equal(b.sandbox().updates.length, 3, 'not done again');
      } else assert.deepEqual(stops(b), ['web']);
    });
  }

  const sized = (name: string, memory: string, spec: object = {}) => {
    const resources = { limits: { memory }, requests: { memory } };
    return desired(pod(name, { containers: [container('web', { resources })], ...spec }));
  };

  test('a resize there is no room for is deferred, survives the agent, and is done when there is', async () => {
    const b = await bench();
    b.allocatable = { ...b.allocatable, memoryBytes: 1000 };
    await b.apply(sized('p', '400'));
    await b.apply(sized('other', '400'));
    await b.apply(sized('p', '700'));
    const pending = () => condition(b, 'PodResizePending');
    assert.deepEqual([pending()?.reason, pending()?.status], ['Deferred', 'True']);
    assert.match(pending()?.message ?? '', /memory, requested: 700, used: 400, capacity: 1000/);
    const shown = b.manager.describe('default', 'p')?.pod.spec;
    assert.deepEqual(shown?.containers[0]?.resources.limits, { memory: '700' }, 'the spec is what was asked for');
    assert.deepEqual(b.container('p').allocatedResources, { memory: '400' });
    const [first] = b.runtime.sandboxes.values();
    assert.deepEqual(first?.updates, []);
    await b.time.advance(1_000);
    b.crash();
    await b.boot();
    assert.equal(pending()?.reason, 'Deferred');
    await b.time.advance(2_000); // what starting again wrote
    const writes = b.writes;
    await b.time.advance(600_000);
    assert.equal(b.writes, writes, 'asking again writes nothing');

    await b.apply(tombstone('other'));
    const [kept, other] = b.runtime.sandboxes.values();
    other?.exit('web', 0);
    await settle();
    assert.equal(kept?.updates[1]?.container, 'web');
    assert.equal(pending(), undefined);
    assert.deepEqual(b.container('p').allocatedResources, { memory: '700' });
    await b.time.advance(50);
    assert.deepEqual(
      b.reasons().filter((reason) => reason.startsWith('Resize')),
      ['ResizeDeferred', 'ResizeStarted', 'ResizeCompleted'],
    );
  });

  test('a resize the node can never have is infeasible; taken back, nothing is left of it', async () => {
    const b = await bench();
    b.allocatable = { ...b.allocatable, memoryBytes: 1000 };
    await b.apply(sized('p', '400'));
    await b.apply(sized('p', '1001'));
    assert.equal(condition(b, 'PodResizePending')?.reason, 'Infeasible');
    await b.apply(sized('p', '400'));
    assert.equal(condition(b, 'PodResizePending'), undefined);
    assert.deepEqual(started(b), ['web/0']);
  });

  test('a limit below what is in use is not set; it is tried again', async () => {
    const b = await bench();
    await b.apply(sized('p', '400'));
    b.memory.set('edgepod/poduid-1/web', 300);
    await b.apply(sized('p', '200'));
    const progress = condition(b, 'PodResizeInProgress');
    assert.equal(progress?.reason, 'Error');
    assert.match(progress?.message ?? '', /container web \(200 bytes\) below its current usage \(300 bytes\)/);
    assert.deepEqual(b.sandbox().updates, []);
    assert.deepEqual(b.container('p').resources?.limits, { memory: '400' });
    b.memory.clear();
    await b.time.advance(10_000);
    assert.deepEqual(b.container('p').resources?.limits, { memory: '200' });
    assert.equal(condition(b, 'PodResizeInProgress'), undefined);
  });

  test('amounts of the pod as a whole change in place, and with them what containers have from it', async () => {
    const b = await bench();
    const of = (memory: string) =>
      desired(pod('p', { resources: { limits: { memory }, requests: { memory } }, containers: [container('web')] }));
    await b.apply(of('400'));
    await b.apply(of('500'));
    assert.deepEqual(
      b.sandbox().updates.map(({ container: name }) => name),
      [undefined, 'web', undefined],
    );
    assert.equal(condition(b, 'PodResizeInProgress'), undefined);
    assert.deepEqual(b.status('p').allocatedResources, { memory: '500' });
    assert.deepEqual(b.status('p').resources?.limits, { memory: '500' });
    assert.deepEqual(started(b), ['web/0']);
  });
});

test('activeDeadlineSeconds: everything is stopped, Failed with DeadlineExceeded', async () => {
  const b = await bench();
  await b.apply(desired(pod('p', { activeDeadlineSeconds: 60 })));
  await b.time.advance(59_000);
  b.time.setWall(new Date('2040-01-01'));
  assert.deepEqual(stops(b), []);
  await b.time.advance(1_000);
  assert.deepEqual(stops(b), ['web']);
  await exit(b, 'web', 143);
  assert.deepEqual([b.status('p').phase, b.status('p').reason], ['Failed', 'DeadlineExceeded']);
});

test('limits the kernel cannot apply are told and stay a condition, also for the next agent', async () => {
  const b = await bench();
  b.runtime.podNotes = ['pids not limited'];
  b.runtime.notes.set('web', ['memory not limited', 'cpu not limited']);
  await b.apply(desired(pod('p', { containers: [container('web'), container('side')] })));
  const told = 'pod: pids not limited; container web: memory not limited; cpu not limited';
  assert.equal(condition(b, 'edgepod.io/LimitsInForce')?.message, told);
  assert.equal(condition(b, 'edgepod.io/LimitsInForce')?.status, 'False');
  await b.time.advance(1_000);
  assert.equal(b.reasons().filter((reason) => reason === 'LimitsNotApplied').length, 2);
  b.crash();
  await b.boot();
  assert.equal(condition(b, 'edgepod.io/LimitsInForce')?.message, told);
  b.runtime.podNotes = [];
  b.runtime.notes.clear();
  await b.apply(desired(pod('q')));
  assert.equal(
    b.status('q').conditions.some(({ type }) => type === 'edgepod.io/LimitsInForce'),
    false,
  );
});

describe('RestartAllContainers', () => {
  const restartPolicyRules = [
    { action: 'Restart' as const, exitCodes: { operator: 'In' as const, values: [1] } },
    { action: 'RestartAllContainers' as const, exitCodes: { operator: 'In' as const, values: [1, 88] } },
  ];
  const watched = (restartPolicy: 'Never' | 'Always') =>
    desired(
      pod('p', {
        restartPolicy,
        initContainers: [container('one'), sidecar('watcher', { restartPolicyRules })],
        containers: [container('web'), container('job')],
      }),
    );

  for (const policy of ['Never', 'Always'] as const) {
    test(`everything begins anew, init containers and what had ended too: ${policy}`, async () => {
      const b = await bench();
      await b.apply(watched(policy));
      await exit(b, 'one');
      if (policy === 'Never') await exit(b, 'job');
      await exit(b, 'watcher', 88);
      assert.equal(b.runtime.created.length, 2, 'in a new sandbox');
      assert.equal(b.runtime.created[1]?.ip, b.runtime.created[0]?.ip);
      await exit(b, 'one');
      assert.deepEqual(started(b).slice(-4).sort(), ['job/1', 'one/1', 'watcher/1', 'web/1'].sort());
      assert.equal(b.status('p').phase, 'Running');
      await b.time.advance(50);
      assert.ok(b.reasons().includes('RestartingAllContainers'));
      assert.deepEqual(b.sandbox().stops, [], 'without grace');
    });
  }

  test('the first rule that matches decides', async () => {
    const b = await bench();
    await b.apply(watched('Never'));
    await exit(b, 'one');
    await exit(b, 'watcher', 1);
    assert.equal(b.runtime.created.length, 1);
    assert.deepEqual(started(b).at(-1), 'watcher/1');
  });

  for (const moment of ['before the sandbox is gone', 'while no agent is there'] as const) {
    test(`kill -9 of the agent ${moment}`, async () => {
      const b = await bench();
      await b.apply(watched('Never'));
      await exit(b, 'one');
      if (moment === 'while no agent is there') {
        b.crash();
        b.sandbox().exit('watcher', 88);
      } else {
        b.runtime.pause = (operation) => (operation === 'destroy' ? new Promise(() => {}) : Promise.resolve());
        await exit(b, 'watcher', 88);
        b.crash();
        b.runtime.pause = async () => {};
      }
      await b.boot();
      assert.equal(b.runtime.created.length, 2);
      await exit(b, 'one');
      assert.deepEqual(started(b).slice(-4).sort(), ['job/1', 'one/1', 'watcher/1', 'web/1'].sort());
    });
  }
});

test('a pod that is being evicted stays so for the next agent', async () => {
  const b = await bench();
  await b.apply(desired(pod('p')));
  const measures = {
    groups: (cgroups: string[]) => cgroups.map(() => ({ workingSet: 1, processes: 1 })),
    treeUsage: async () => new Float64Array(),
  };
  await b.manager.relief.evictOne({ resource: 'pids', threshold: 2, available: 1 }, measures);
  await settle();
  b.crash();
  await b.boot();
  await exit(b, 'web', 137);
  assert.deepEqual([b.status('p').phase, b.status('p').reason], ['Failed', 'Evicted']);
});
