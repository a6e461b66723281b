/** Who waits for whom. */
import assert from 'node:assert/strict';
import { type Case, printed } from '../wave.ts';
import { volumeMounts, WORK } from './parts.ts';

export const ORDER: Case[] = [
  {
    rule: 'containers after one with a postStart hook wait for the hook',
    containers: [
      {
        sh: 'while ! test -e /work/end; do sleep 0.1; done',
        volumeMounts,
        lifecycle: { postStart: { exec: { command: ['/bin/sh', '-c', 'sleep 0.5; echo hook >> /work/order'] } } },
      },
      { sh: 'echo started >> /work/order; cat /work/order; touch /work/end', volumeMounts },
    ],
    spec: WORK,
    // An agent that is killed in the middle of a hook runs it again.
    check: (pod, board) => assert.match(printed(board, pod, 'c1'), /^(hook\n)+started\n$/),
  },
];
