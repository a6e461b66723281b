/** Who is started, started again or given up, and how the status tells it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { after, before } from 'node:test';
import type { Pod } from '../../../../src/manifest/types.ts';
import { demoImage } from '../../../images/demo-images.ts';
import { buildTinyImage } from '../../../images/tiny.ts';
import { Board } from '../board.ts';
import { phase, running, SLEEP } from '../pods.ts';
import { type Case, statusOf, wave } from './wave.ts';

const images = mkdtempSync('/var/tmp/edgepod-statuses-');
let board: Board;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
  await board.load(await buildTinyImage(images, { name: 'server', programs: ['echo-server'] }));
});
after(async () => {
  assert.deepEqual(await board.close(), []);
  rmSync(images, { recursive: true });
});

const WORK = { volumes: [{ name: 'work', emptyDir: { medium: 'Memory' } }] };
const volumeMounts = [{ name: 'work', mountPath: '/work' }];
const init = (name: string, sh: string, more: object = {}) => ({
  name,
  image: 'debian',
  command: ['/bin/sh', '-c', sh],
  volumeMounts,
  ...more,
});
const sidecar = (name: string, sh: string, more: object = {}) => init(name, sh, { restartPolicy: 'Always', ...more });

const restarts = (pod: Pod, name = 'c0') => statusOf(pod, name).restartCount;
const exitCode = (pod: Pod, name = 'c0') => statusOf(pod, name).state.terminated?.exitCode;
const restarted =
  (count: number, name = 'c0') =>
  (pod: Pod) =>
    [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])].some(
      (status) => status.name === name && status.restartCount >= count,
    );
const condition = (pod: Pod, type: string) => {
  const { status, reason, message } = pod.status?.conditions.find((found) => found.type === type) ?? {};
  return [status, reason, message].filter((part) => part !== undefined).join(' ');
};
/** Each attempt leaves a mark; what an attempt does depends on which it is. */
const byAttempt = (...steps: string[]) =>
  `echo >> /work/n; case $(wc -l < /work/n) in ${steps.map((step, i) => `${i + 1}) ${step};;`).join(' ')} esac`;
const fails = { exec: { command: ['/bin/false'] } };
const file = (path: string) => ({ exec: { command: ['test', '-e', path] } });
const impatient = { periodSeconds: 1, failureThreshold: 1 };

const RESTARTS: Case[] = [
  ...(
    [
      ['Always', 'Running', 2, true],
      ['OnFailure', 'Succeeded', 1, false],
      ['Never', 'Failed', 0, false],
    ] as const
  ).map(
    ([restartPolicy, wanted, count, ready]): Case => ({
      rule: `fails, then succeeds, then stays, with ${restartPolicy}: ${wanted} after ${count} restarts`,
      containers: [{ sh: byAttempt('exit 1', 'exit 0', SLEEP), volumeMounts }],
      spec: { ...WORK, restartPolicy },
      until: (pod) => pod.status?.phase === wanted && restarted(count)(pod) && statusOf(pod).ready === ready,
      check: (pod) => {
        assert.equal(restarts(pod), count);
        assert.equal(condition(pod, 'Ready').split(' ')[0], ready ? 'True' : 'False');
        if (count > 0) assert.ok(statusOf(pod).lastState.terminated);
      },
    }),
  ),
  {
    rule: 'a rule that matches restarts a container that is never restarted otherwise',
    containers: [
      {
        sh: byAttempt('exit 42', 'exit 43'),
        volumeMounts,
        restartPolicy: 'Never',
        restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
      },
    ],
    spec: WORK,
    check: (pod) => assert.deepEqual([restarts(pod), exitCode(pod), pod.status?.phase], [1, 43, 'Failed']),
  },
  {
    rule: 'NotIn restarts for every other code',
    containers: [
      {
        sh: byAttempt('exit 1', 'exit 7'),
        volumeMounts,
        restartPolicy: 'Never',
        restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'NotIn', values: [7] } }],
      },
    ],
    spec: WORK,
    check: (pod) => assert.deepEqual([restarts(pod), exitCode(pod)], [1, 7]),
  },
  {
    rule: 'the container’s Never over the pod’s Always',
    containers: [{ sh: 'exit 1', restartPolicy: 'Never' }],
    spec: { restartPolicy: 'Always' },
    check: (pod) => assert.deepEqual([restarts(pod), pod.status?.phase], [0, 'Failed']),
  },
  {
    rule: 'the container’s Always over the pod’s Never',
    containers: [{ sh: byAttempt('exit 1', SLEEP), volumeMounts, restartPolicy: 'Always' }],
    spec: WORK,
    until: (pod) => running(pod) && restarted(1)(pod),
  },
  {
    rule: 'a program that always fails has a reason to show',
    containers: [{ command: ['/bin/false'] }],
    check: (pod) => assert.equal(statusOf(pod).state.terminated?.reason, 'Error'),
  },
  {
    rule: 'activeDeadlineSeconds ends the pod, whatever its policy',
    containers: [{ sh: SLEEP }],
    spec: { activeDeadlineSeconds: 1, restartPolicy: 'Always' },
    check: (pod) => {
      assert.deepEqual([pod.status?.phase, pod.status?.reason], ['Failed', 'DeadlineExceeded']);
      assert.match(pod.status?.message ?? '', /was active on the node longer than the specified deadline/);
    },
  },
  {
    rule: 'the generation is observed, the QoS class told',
    containers: [{ sh: 'true', resources: { limits: { cpu: '100m', memory: '32Mi' } } }],
    metadata: { generation: 7 },
    check: (pod) => assert.deepEqual([pod.status?.observedGeneration, pod.status?.qosClass], [7, 'Guaranteed']),
  },
  {
    rule: 'a pod that is done is not ready any more, and says why',
    containers: [{ sh: 'true' }],
    check: (pod) => {
      assert.equal(condition(pod, 'Initialized'), 'True PodCompleted');
      assert.equal(condition(pod, 'Ready'), 'False PodCompleted');
      assert.equal(condition(pod, 'ContainersReady'), 'False PodCompleted');
    },
  },
];

const INIT: Case[] = [
  ...(['Never', 'Always'] as const).map(
    (restartPolicy): Case => ({
      rule: `init containers run one after the other, with ${restartPolicy}`,
      containers: [{ sh: `cat /work/order; ${restartPolicy === 'Always' ? SLEEP : 'true'}`, volumeMounts }],
      spec: {
        ...WORK,
        restartPolicy,
        initContainers: [init('a', 'echo a >> /work/order'), init('b', 'echo b >> /work/order')],
      },
      until: restartPolicy === 'Always' ? running : phase('Succeeded'),
      prints: /^a\nb\n$/,
      check: (pod) => {
        for (const name of ['a', 'b']) {
          const { ready, restartCount, state } = statusOf(pod, name);
          assert.deepEqual([ready, restartCount, state.terminated?.reason], [true, 0, 'Completed']);
        }
        assert.equal(condition(pod, 'Initialized').split(' ')[0], 'True');
      },
    }),
  ),
  {
    rule: 'one that fails holds all back, and is tried again',
    containers: [{ sh: 'true' }],
    spec: { ...WORK, restartPolicy: 'Always', initContainers: [init('a', 'exit 1'), init('b', 'true')] },
    until: restarted(1, 'a'),
    check: (pod) => {
      assert.equal(pod.status?.phase, 'Pending');
      assert.equal(
        condition(pod, 'Initialized'),
        'False ContainersNotInitialized containers with incomplete status: [a b]',
      );
      assert.equal(statusOf(pod, 'b').state.waiting?.reason, 'PodInitializing');
      assert.equal(statusOf(pod).state.waiting?.reason, 'PodInitializing');
      assert.equal(restarts(pod), 0);
    },
  },
  {
    rule: 'one that fails in a run-once pod fails the pod; nothing else has run',
    containers: [{ sh: 'true' }],
    spec: { ...WORK, initContainers: [init('a', 'true'), init('b', 'exit 1')] },
    check: (pod) => {
      assert.equal(pod.status?.phase, 'Failed');
      assert.deepEqual([exitCode(pod, 'a'), exitCode(pod, 'b')], [0, 1]);
      assert.ok(statusOf(pod).state.waiting);
    },
  },
  {
    rule: 'a sidecar runs before and beside, and ends with the last container',
    containers: [{ sh: 'cat /work/ready; touch /work/done; sleep 0.2', volumeMounts }],
    spec: {
      ...WORK,
      initContainers: [
        sidecar('s', `echo yes > /work/ready; ${SLEEP}`, {
          startupProbe: { ...file('/work/ready'), periodSeconds: 1 },
        }),
        init('after', 'test -e /work/ready'),
      ],
    },
    prints: 'yes\n',
    check: (pod) => {
      assert.equal(pod.status?.phase, 'Succeeded');
      assert.ok(statusOf(pod, 's').state.terminated);
    },
  },
  {
    rule: 'a sidecar that ends is started again, in a run-once pod too',
    containers: [{ sh: SLEEP }],
    spec: { ...WORK, initContainers: [sidecar('s', byAttempt('exit 0', SLEEP))] },
    until: (pod) => restarted(1, 's')(pod) && running(pod) && statusOf(pod, 's').ready,
    check: (pod) => assert.equal(restarts(pod), 0),
  },
];

const PROBES: Case[] = [
  {
    rule: 'a failed liveness probe restarts the container',
    containers: [{ sh: SLEEP, livenessProbe: { ...file('/nothing'), ...impatient } as never }],
    spec: { restartPolicy: 'Always' },
    until: restarted(1),
    check: (pod) => assert.ok(statusOf(pod).lastState.terminated),
  },
  {
    rule: 'a liveness probe that takes too long has failed',
    containers: [
      { sh: SLEEP, livenessProbe: { exec: { command: ['sleep', '100'] }, timeoutSeconds: 1, ...impatient } as never },
    ],
    spec: { restartPolicy: 'Always' },
    until: restarted(1),
  },
  {
    rule: 'a failed readiness probe restarts nothing',
    containers: [{ sh: SLEEP, readinessProbe: { ...fails, ...impatient } as never }, { sh: SLEEP }],
    until: running,
    check: (pod) => {
      assert.deepEqual([statusOf(pod).ready, statusOf(pod).started, statusOf(pod, 'c1').ready], [false, true, true]);
      assert.equal(condition(pod, 'Ready'), 'False ContainersNotReady containers with unready status: [c0]');
      assert.equal(condition(pod, 'ContainersReady'), condition(pod, 'Ready'));
    },
  },
  {
    rule: 'readiness comes when the program is ready, and goes when it is not',
    containers: [
      {
        sh: `touch /ready; while ! test -e /work/stop; do sleep 0.1; done; rm /ready; ${SLEEP}`,
        volumeMounts,
        readinessProbe: { ...file('/ready'), ...impatient } as never,
      },
      { sh: 'sleep 6; touch /work/stop', volumeMounts },
    ],
    spec: WORK,
    until: (pod) => statusOf(pod, 'c1').state.terminated !== undefined && !statusOf(pod).ready,
    check: (pod, { messages }) => {
      assert.equal(restarts(pod), 0);
      const told = messages
        .filter(
          ({ topic, payload }) => topic.endsWith(`/status/pods/default/${pod.metadata.name}`) && payload.length > 0,
        )
        .map(({ payload }) => (JSON.parse(payload.toString()) as Pod).status?.containerStatuses[0]?.ready);
      assert.ok(told.includes(true), 'it was ready once');
    },
  },
  {
    rule: 'a port that is listened on is ready',
    containers: [
      {
        image: 'server',
        imagePullPolicy: 'Never',
        command: ['/bin/echo-server', '7000'],
        readinessProbe: { tcpSocket: { port: 7000 }, periodSeconds: 1 } as never,
      },
    ],
    until: (pod) => condition(pod, 'Ready') === 'True',
  },
  {
    rule: 'until a startup probe has succeeded no other is asked, and the container has not started',
    containers: [
      {
        sh: SLEEP,
        startupProbe: { ...fails, periodSeconds: 1, failureThreshold: 1000 } as never,
        livenessProbe: { ...fails, ...impatient } as never,
      },
    ],
    until: running,
    check: (pod) => assert.deepEqual([statusOf(pod).started, statusOf(pod).ready, restarts(pod)], [false, false, 0]),
  },
  {
    rule: 'a failed startup probe restarts the container',
    containers: [{ sh: SLEEP, startupProbe: { ...fails, ...impatient } as never }],
    spec: { restartPolicy: 'Always' },
    until: restarted(1),
  },
  {
    rule: 'a readiness gate nobody opens keeps the pod unready, its containers ready',
    containers: [{ sh: SLEEP }],
    spec: { readinessGates: [{ conditionType: 'example.com/gate' }] },
    until: running,
    check: (pod) => {
      assert.equal(condition(pod, 'ContainersReady'), 'True');
      assert.match(condition(pod, 'Ready'), /^False ReadinessGatesNotReady .*example\.com\/gate/);
    },
  },
];

const HOOKS: Case[] = [
  {
    rule: 'postStart runs in the container, beside its program',
    containers: [
      {
        sh: 'while ! test -e /tmp/hook; do sleep 0.1; done; cat /tmp/hook',
        env: [{ name: 'GREETING', value: 'hello' }],
        lifecycle: {
          postStart: { exec: { command: ['/bin/sh', '-c', 'echo $GREETING > /tmp/.h; mv /tmp/.h /tmp/hook'] } },
        },
      },
    ],
    prints: 'hello\n',
  },
  {
    rule: 'a postStart that fails kills the container',
    containers: [{ sh: SLEEP, lifecycle: { postStart: { exec: { command: ['/bin/false'] } } } }],
    check: (pod, { messages }) => {
      assert.ok(statusOf(pod).state.terminated);
      const told = messages.map(({ topic, payload }) => (topic.endsWith('/events') ? payload.toString() : ''));
      assert.ok(
        told.some((event) => event.includes('FailedPostStartHook') && event.includes(`"${pod.metadata.name}"`)),
      );
    },
  },
  {
    rule: 'preStop is not run for a program that has ended by itself',
    containers: [{ sh: 'true', lifecycle: { preStop: { sleep: { seconds: 2 } } } }],
    until: phase('Succeeded'),
  },
];

const CASES = [...RESTARTS, ...INIT, ...PROBES, ...HOOKS];

wave('calm', () => board, CASES);
wave('killed', () => board, CASES, { kills: 3 });
