/** A reboot: every process is gone and with it the run directory; the data directory and the broker are what is left. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import Database from 'better-sqlite3';
import { demoImage } from '../../images/demo-images.ts';
import { Board } from './board.ts';
import { because, phase, restarts, running, SLEEP, shellPod, state } from './pods.ts';

let board: Board;
const shared = mkdtempSync('/var/tmp/edgepod-reboot-');
const PATIENCE = 60_000;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
});
after(async () => {
  rmSync(shared, { recursive: true });
  assert.deepEqual(await board.close(), []);
});

const volumes = [{ name: 'v', hostPath: { path: shared, type: 'Directory' } }];
const volumeMounts = [{ name: 'v', mountPath: '/v' }];
const said = (file: string) => readFileSync(join(shared, file), 'utf8').trim().split('\n');

/** A process that nobody has waited for yet does not run any more. */
function runs(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`).length > 0;
  } catch {
    return false;
  }
}

/** Power is cut; what the records call this boot becomes an earlier one. */
async function reboot(): Promise<void> {
  await board.stopAgent('SIGKILL');
  const pods = join(board.runDir, 'pods');
  for (const uid of existsSync(pods) ? readdirSync(pods) : []) {
    const shim = Number(readFileSync(join(pods, uid, 'shim.pid'), 'utf8'));
    process.kill(shim, 'SIGKILL');
    await board.until('the shim to be gone', () => !runs(shim), PATIENCE);
  }
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const below = mounts.map((line) => line.split(' ')[1] ?? '').filter((path) => path.startsWith(`${board.runDir}/`));
  for (const path of below.reverse()) execFileSync('umount', ['-l', path]);
  for (const name of readdirSync(board.runDir)) rmSync(join(board.runDir, name), { recursive: true });
  const database = new Database(join(board.dataDir, 'edgepod.db'));
  const { changes } = database
    .prepare(`UPDATE pods SET record = json_set(record, '$.bootId', 'the boot before this one')`)
    .run();
  assert.ok(changes > 0);
  database.close();
}

test('after a reboot init containers run again, run-once pods are over, deadlines and back-offs go on', async () => {
  const init = { name: 'init', image: 'debian', command: ['/bin/sh', '-c', 'echo init >> /v/init'], volumeMounts };
  const always = { sh: `echo main >> /v/main; ${SLEEP}`, volumeMounts };
  await board.desire('again', shellPod('again', [always], { volumes, initContainers: [init] }));
  const never = { sh: `echo once >> /v/once; ${SLEEP}`, volumeMounts };
  await board.desire('once', shellPod('once', [never], { volumes, restartPolicy: 'Never' }));
  const partly = [{ sh: 'exit 0' }, { sh: SLEEP }];
  await board.desire('partly', shellPod('partly', partly, { restartPolicy: 'OnFailure' }));
  await board.desire('deadline', shellPod('deadline', [{ sh: SLEEP }], { activeDeadlineSeconds: 20 }));
  await board.desire('loop', shellPod('loop', [{ sh: 'exit 3' }]));
  const first = await board.pod('again', running, PATIENCE);
  for (const name of ['once', 'deadline']) await board.pod(name, running, PATIENCE);
  await board.pod('partly', (p) => state(p).terminated !== undefined && state(p, 'c1').running !== undefined, PATIENCE);
  await board.pod('loop', because('CrashLoopBackOff'), PATIENCE);
  // Records are written within a second of a change.
  await new Promise((resolve) => setTimeout(resolve, 1_500));

  await reboot();
  await board.startAgent();

  const again = await board.pod('again', (p) => running(p) && restarts(p) === 1, PATIENCE);
  assert.equal(again.metadata.uid, first.metadata.uid);
  assert.equal(again.status?.podIP, first.status?.podIP);
  assert.deepEqual(
    [said('init'), said('main')],
    [
      ['init', 'init'],
      ['main', 'main'],
    ],
  );
  assert.equal(again.status?.containerStatuses[0]?.lastState.terminated?.reason, 'ContainerStatusUnknown');

  const once = await board.pod('once', phase('Failed'), PATIENCE);
  assert.equal(state(once).terminated?.exitCode, 137);
  assert.equal(state(once).terminated?.reason, 'ContainerStatusUnknown');
  assert.deepEqual(said('once'), ['once']);

  const half = await board.pod('partly', (p) => state(p, 'c1').running !== undefined, PATIENCE);
  assert.deepEqual([restarts(half), restarts(half, 'c1')], [0, 1], 'what succeeded is not done again');

  const late = await board.pod('deadline', phase('Failed'), PATIENCE);
  assert.equal(late.status?.reason, 'DeadlineExceeded');

  // The first restart after a boot is immediate, and the length of the back-off is kept.
  await board.pod('loop', (p) => restarts(p) >= 2 && because('CrashLoopBackOff')(p), PATIENCE);
  for (const name of ['again', 'once', 'partly', 'deadline', 'loop']) await board.undesire(name);
});
