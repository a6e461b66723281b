/**
 * An application that writes to /var/log, a sidecar that sends it to a store: every line at least once, whatever dies
 * between, and just once while the sidecar lives. A killed rsyslogd has not written down how far it had read, so its
 * successor sends again what it finds.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Pod } from '../../../../src/manifest/types/pod.ts';
import { Outside } from '../../runtime/outside.ts';
import type { Board } from '../board.ts';
import { running } from '../pods.ts';
import { initOf } from '../processes.ts';
import { apply, crash, logs, logsOnDisk, openBoard, restarted, statusOf } from './example.ts';

let outside: Outside;
let board: Board;
let store: Pod;
let pod: Pod;
before(async () => {
  outside = await Outside.open(); // gives the board an address, which not every machine has
  board = await openBoard(['debian', 'rsyslog']);
  await apply(board, 'log-sidecar/store.yaml', '--wait');
  store = await board.pod('log-store', running);
  await apply(board, 'log-sidecar/pod.yaml', '--wait');
  pod = await board.pod('shop', running);
});
after(async () => {
  assert.deepEqual(await board.close(), []);
  outside.close();
});

/** Numbers of the orders that have arrived, in order of arrival. */
function stored(): number[] {
  const lines = logsOnDisk(board, store.metadata.uid!, 'rsyslog').split('\n');
  return lines.flatMap((line) => /^shop app: ?order (\d+)$/.exec(line)?.[1] ?? []).map(Number);
}

/** Nothing has arrived twice. */
function assertOnce(): void {
  const numbers = stored();
  assert.deepEqual(numbers, [...new Set(numbers)]);
}

/** Waits for five more orders, and until none is missing among what has arrived. */
async function goesOn(): Promise<void> {
  const before = Math.max(0, ...stored());
  const complete = () => {
    const numbers = stored();
    const last = Math.max(0, ...numbers);
    return last >= before + 5 && new Set(numbers).size === last;
  };
  await board.until('five more orders', complete, 60_000, () => `in the store: ${stored().join(' ')}`);
}

test('the sidecar runs before the application does, and what is logged arrives', async () => {
  const started = (name: string) => Date.parse(statusOf(pod, name).state.running?.startedAt ?? '');
  assert.ok(started('forwarder') <= started('app'));
  await goesOn();
  assertOnce();
});

test('kill -9 of the agent: lines go on arriving without it, and with it again', async () => {
  const uid = pod.metadata.uid!;
  const before = [initOf(uid, 'app'), initOf(uid, 'forwarder')];
  await board.stopAgent('SIGKILL');
  await goesOn();
  await board.startAgent();
  await goesOn();
  assertOnce();
  assert.deepEqual([initOf(uid, 'app'), initOf(uid, 'forwarder')], before);
});

test('a sidecar that dies while there is no agent is back with it, and sends what it missed', async () => {
  const uid = pod.metadata.uid!;
  const app = initOf(uid, 'app');
  await board.stopAgent('SIGKILL');
  crash(uid, 'forwarder');
  await board.startAgent();
  const now = await restarted(board, 'shop', 'forwarder', 1);
  assert.equal(statusOf(now, 'forwarder').lastState.terminated?.exitCode, 137);
  assert.equal(statusOf(now, 'app').restartCount, 0);
  assert.equal(initOf(uid, 'app'), app);
  await goesOn();
});

test('an application that dies is restarted beside its sidecar', async () => {
  const uid = pod.metadata.uid!;
  const forwarder = initOf(uid, 'forwarder');
  crash(uid, 'app');
  await restarted(board, 'shop', 'app', 1);
  assert.equal(initOf(uid, 'forwarder'), forwarder);
  await goesOn();
});

test('the pod ends with its last words in the store: the sidecar goes after the application', async () => {
  await board.undesire('shop');
  assert.match(await logs(board, 'log-store', 'rsyslog'), /^shop app: ?order desk closed$/m);
});
