/** Who is started again, and when a pod is over. */
import assert from 'node:assert/strict';
import { running, SLEEP } from '../../pods.ts';
import { type Case, statusOf } from '../wave.ts';
import { byAttempt, condition, exitCode, restarted, restarts, volumeMounts, WORK } from './parts.ts';

export const RESTARTS: Case[] = [
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
    rule: 'a shell whose input stays open waits for it; one without reads an end at once',
    containers: [
      { command: ['/bin/sh'], stdin: true, restartPolicy: 'Never' },
      { command: ['/bin/sh'], restartPolicy: 'Never' },
      { sh: 'sleep 1', restartPolicy: 'Never' },
    ],
    until: (pod) => statusOf(pod).state.running !== undefined && exitCode(pod, 'c1') === 0 && exitCode(pod, 'c2') === 0,
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
