/**
 * Random lives of one pod name: exits, losses, crashes of the agent, power cuts, lost databases, updates and deletes in
 * any order. The fake runtime fails the run when a uid gets a second sandbox or a container a second live attempt.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Bench } from './bench.ts';
import { settle } from './fake-time.ts';
import { container, desired, pod, tombstone } from './fixtures.ts';
import { probe } from './group-words.ts';

type Policy = 'Always' | 'OnFailure' | 'Never';
type Step =
  | { do: 'apply'; image: string; policy: Policy; inits: boolean; debug: string[] }
  | { do: 'say'; probe: 'up' | 'alive'; ok: boolean }
  | { do: 'delete' | 'lose' | 'crash' | 'power-cut' | 'lose-database' | 'fail-create' | 'fail-destroy' }
  | { do: 'exit'; container: string; code: number }
  | { do: 'fail-start' | 'fail-image' | 'fail-write'; on: boolean }
  | { do: 'crash-during'; operation: 'create' | 'start' | 'destroy' }
  | { do: 'wait'; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('apply' as const),
    image: fc.constantFrom('debian', 'nginx'),
    policy: fc.constantFrom<Policy>('Always', 'OnFailure', 'Never', 'Never'),
    inits: fc.boolean(),
    debug: fc.subarray(['dbg1', 'dbg2']),
  }),
  fc.record({
    do: fc.constantFrom(
      'delete' as const,
      'lose' as const,
      'crash' as const,
      'power-cut' as const,
      'lose-database' as const,
      'fail-create' as const,
      'fail-destroy' as const,
    ),
  }),
  fc.record({
    do: fc.constant('exit' as const),
    container: fc.constantFrom('web', 'side', 'setup', 'proxy', 'dbg1', 'dbg2'),
    code: fc.constantFrom(0, 1),
  }),
  fc.record({
    do: fc.constantFrom('fail-start' as const, 'fail-image' as const, 'fail-write' as const),
    on: fc.boolean(),
  }),
  fc.record({
    do: fc.constant('crash-during' as const),
    operation: fc.constantFrom('create' as const, 'start' as const, 'destroy' as const),
  }),
  fc.record({
    do: fc.constant('say' as const),
    probe: fc.constantFrom('up' as const, 'alive' as const),
    ok: fc.boolean(),
  }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 2_000, 10_000, 400_000) }),
);

const INITS = [container('proxy', { restartPolicy: 'Always', startupProbe: probe('up') }), container('setup')];

const anySandbox = (b: Bench) => [...b.runtime.sandboxes.values()][0];

const STEPS: { [Kind in Step['do']]: (b: Bench, step: Extract<Step, { do: Kind }>) => unknown } = {
  apply: (b, { image, policy, inits, debug }) =>
    b.apply(
      desired(
        pod('p', {
          restartPolicy: policy,
          hostname: image,
          containers: [container('web', { image, livenessProbe: probe('alive') }), container('side')],
          initContainers: inits ? INITS : [],
          ...(debug.length > 0 && { ephemeralContainers: debug.map((name) => container(name)) }),
        }),
      ),
    ),
  say: (b, { probe: name, ok }) => b.prober.say(name, ok),
  delete: (b) => (b.wanted.has('p') ? b.apply(tombstone('p')) : undefined),
  lose: (b) => anySandbox(b)?.lose(),
  exit: (b, { container: name, code }) => anySandbox(b)?.exit(name, code),
  async crash(b) {
    b.crash();
    await b.boot();
  },
  async 'power-cut'(b) {
    b.powerCut();
    await b.boot();
  },
  async 'lose-database'(b) {
    b.loseDatabase();
    await b.boot();
  },
  'fail-create': (b) => b.runtime.createFailures.push(new Error('no')),
  'fail-destroy': (b) => b.runtime.destroyFailures.push(new Error('no')),
  'fail-start': (b, { on }) =>
    on ? b.runtime.startFailures.set('side', new Error('no')) : b.runtime.startFailures.clear(),
  'fail-image': (b, { on }) =>
    on ? b.imageFailures.set('nginx', { code: 'ErrImagePull', message: 'no' }) : b.imageFailures.clear(),
  'fail-write': (b, { on }) => {
    b.writeFailure = on ? new Error('disk full') : undefined;
  },
  'crash-during': (b, { operation }) => {
    b.runtime.pause = async (current) => {
      if (current !== operation) return;
      b.runtime.pause = async () => {};
      b.crash();
    };
  },
  wait: (b, { ms }) => b.time.advance(ms),
};

const perform = async (b: Bench, action: Step): Promise<void> => {
  await (STEPS[action.do] as (b: Bench, action: Step) => unknown)(b, action);
  await settle();
  if (b.crashed) await b.boot();
};

/** A container of a Never pod is started at most once for one uid. */
const assertRunOnce = (b: Bench): void => {
  const never = new Set(
    b.runtime.created
      .filter(({ labels }) => labels['io.edgepod.manifest']?.includes('"restartPolicy":"Never"'))
      .map(({ uid }) => uid),
  );
  const runs = b.runtime.started
    .map((id) => id.split('/'))
    .filter(([uid = '', name]) => never.has(uid) && name !== 'proxy');
  const once = new Set(runs.map(([uid, name]) => `${uid}/${name}`));
  assert.equal(once.size, runs.length, `a run-once container ran twice: ${b.runtime.started}`);
};

/** What was added to a running pod is started at most once in it, whatever its restart policy. */
const assertAddedOnce = (b: Bench): void => {
  const runs = b.runtime.started.filter((id) => id.includes('/dbg'));
  assert.deepEqual(
    runs.filter((id) => !id.endsWith('/0')),
    [],
  );
  assert.equal(new Set(runs).size, runs.length, `an ephemeral container ran twice: ${b.runtime.started}`);
};

/** No regular container was started in a sandbox before its init containers were through: `started` is in order. */
const assertInitFirst = (b: Bench): void => {
  for (const { uid, labels } of b.runtime.created) {
    if (!labels['io.edgepod.manifest']?.includes('"name":"setup"')) continue;
    const order = b.runtime.started.filter((id) => id.startsWith(`${uid}/`)).map((id) => id.split('/')[1]);
    const first = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
    assert.ok(first('proxy') <= first('setup') && first('setup') <= Math.min(first('web'), first('side')), `${order}`);
  }
};

/** With every fault gone and time to recover, a delete leaves nothing. */
const assertDeletable = async (b: Bench): Promise<void> => {
  for (const on of ['fail-start', 'fail-image', 'fail-write'] as const) await perform(b, { do: on, on: false });
  b.runtime.pause = async () => {};
  b.runtime.createFailures.length = 0;
  b.runtime.destroyFailures.length = 0;
  await b.apply(tombstone('p'));
  for (let n = 0; n < 6; n++) {
    for (const sandbox of b.runtime.sandboxes.values())
      for (const name of ['web', 'side', 'setup', 'proxy', 'dbg1', 'dbg2']) sandbox.exit(name, 0);
    await b.time.advance(400_000);
  }
  const left = [b.runtime.sandboxes.size, b.disk.size, b.leases.size, b.volumes.size, b.wanted.size];
  assert.deepEqual(left, [0, 0, 0, 0, 0]);
  assert.deepEqual(b.manager.list(), []);
  assert.deepEqual(b.log, []);
};

test('whatever happens: one sandbox a uid, run-once runs once, and a delete leaves nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 20 }), async (steps) => {
      const b = new Bench();
      await b.boot();
      for (const action of steps) {
        await perform(b, action);
        assertRunOnce(b);
        assertInitFirst(b);
        assertAddedOnce(b);
        assert.ok(b.runtime.sandboxes.size <= 1, 'two sandboxes for one name');
      }
      b.log.splice(0, b.log.length, ...b.log.filter((line) => line !== 'pod record could not be written'));
      await assertDeletable(b);
    }),
    { numRuns: 150 },
  );
});
