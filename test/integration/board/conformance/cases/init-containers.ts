/** Init containers and sidecars. */
import assert from 'node:assert/strict';
import { phase, running, SLEEP } from '../../pods.ts';
import { type Case, statusOf } from '../wave.ts';
import {
  byAttempt,
  condition,
  exitCode,
  file,
  init,
  restarted,
  restarts,
  sidecar,
  volumeMounts,
  WORK,
} from './parts.ts';

export const INIT: Case[] = [
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
