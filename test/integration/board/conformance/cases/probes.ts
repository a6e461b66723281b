/** Probes and hooks. */
import assert from 'node:assert/strict';
import type { Pod } from '../../../../../src/manifest/types/pod.ts';
import { phase, running, SLEEP } from '../../pods.ts';
import { type Case, statusOf } from '../wave.ts';
import { condition, fails, file, impatient, restarted, restarts, volumeMounts, WORK } from './parts.ts';

export const PROBES: Case[] = [
  {
    rule: 'a failed liveness probe restarts the container',
    containers: [{ sh: SLEEP, livenessProbe: { ...file('/nothing'), ...impatient } }],
    spec: { restartPolicy: 'Always' },
    until: restarted(1),
    check: (pod) => assert.ok(statusOf(pod).lastState.terminated),
  },
  {
    rule: 'a liveness probe that takes too long has failed',
    containers: [
      { sh: SLEEP, livenessProbe: { exec: { command: ['sleep', '100'] }, timeoutSeconds: 1, ...impatient } },
    ],
    spec: { restartPolicy: 'Always' },
    until: restarted(1),
  },
  {
    rule: 'a failed readiness probe restarts nothing',
    containers: [{ sh: SLEEP, readinessProbe: { ...fails, ...impatient } }, { sh: SLEEP }],
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
        readinessProbe: {
          exec: { command: ['/bin/sh', '-c', 'test -e /ready && touch /work/asked'] },
          ...impatient,
        },
      },
      {
        // Four answers, so that one of them has been told whatever befell the agent.
        sh: 'for i in 1 2 3 4; do while ! test -e /work/asked; do sleep 0.1; done; rm /work/asked; done; touch /work/stop',
        volumeMounts,
      },
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
        readinessProbe: { tcpSocket: { port: 7000 }, periodSeconds: 1 },
      },
    ],
    until: (pod) => condition(pod, 'Ready') === 'True',
  },
  {
    rule: 'until a startup probe has succeeded no other is asked, and the container has not started',
    containers: [
      {
        sh: SLEEP,
        startupProbe: { ...fails, periodSeconds: 1, failureThreshold: 1000 },
        livenessProbe: { ...fails, ...impatient },
      },
    ],
    until: running,
    check: (pod) => assert.deepEqual([statusOf(pod).started, statusOf(pod).ready, restarts(pod)], [false, false, 0]),
  },
  {
    rule: 'a failed startup probe restarts the container',
    containers: [{ sh: SLEEP, startupProbe: { ...fails, ...impatient } }],
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

export const HOOKS: Case[] = [
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
    check: async (pod, board) => {
      assert.ok(statusOf(pod).state.terminated);
      const about = (event: string) =>
        event.includes('FailedPostStartHook') && event.includes(`"${pod.metadata.name}"`);
      await board.until('the event that tells why', () =>
        board.messages.some(({ topic, payload }) => topic.endsWith('/events') && about(payload.toString())),
      );
    },
  },
  {
    rule: 'preStop is not run for a program that has ended by itself',
    containers: [{ sh: 'true', lifecycle: { preStop: { sleep: { seconds: 2 } } } }],
    until: phase('Succeeded'),
  },
];
