/** Exit codes and termination messages. */
import assert from 'node:assert/strict';
import { type Case, statusOf } from '../wave.ts';

const message = (expected: string | undefined) => (pod: Parameters<typeof statusOf>[0]) =>
  assert.equal(statusOf(pod).state.terminated?.message, expected);

export const MESSAGES: Case[] = [
  {
    rule: 'what is written to the default path is the message',
    containers: [{ sh: 'printf DONE > /dev/termination-log' }],
    check: message('DONE'),
  },
  {
    rule: 'a path of one’s own, for a user that is not root',
    containers: [
      {
        sh: 'printf DONE > /dev/termination-custom-log',
        terminationMessagePath: '/dev/termination-custom-log',
        securityContext: { runAsUser: 10000 },
      },
    ],
    check: message('DONE'),
  },
  {
    rule: 'of a failure, the end of the log, where so asked',
    containers: [{ sh: 'printf DONE; exit 1', terminationMessagePolicy: 'FallbackToLogsOnError' }],
    check: message('DONE'),
  },
  { rule: 'not without asking', containers: [{ sh: 'printf DONE; exit 1' }], check: message(undefined) },
  {
    rule: 'not of a success',
    containers: [{ sh: 'printf DONE', terminationMessagePolicy: 'FallbackToLogsOnError' }],
    check: message(undefined),
  },
  {
    rule: 'the file comes first',
    containers: [
      { sh: 'printf OK > /dev/termination-log; echo DONE; exit 1', terminationMessagePolicy: 'FallbackToLogsOnError' },
    ],
    check: message('OK'),
  },
  {
    rule: 'an exit code is reported as it is',
    containers: [{ sh: 'exit 42' }],
    check: (pod) => {
      assert.equal(pod.status?.phase, 'Failed');
      const { exitCode, reason, startedAt, finishedAt } = statusOf(pod).state.terminated ?? {};
      assert.deepEqual([exitCode, reason], [42, 'Error']);
      assert.ok(startedAt && finishedAt && startedAt <= finishedAt);
    },
  },
];
