/** Disks that are too small, full or damaged: the board boots, says so, and nothing starts over and over. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { Device } from '../device.ts';
import { imageUnderTest } from '../image.ts';
import { nodeCondition } from '../node-condition.ts';
import { apply, loadTiny, podProcesses, running, tinyPod, untilPod } from '../tiny-pods.ts';

suite('a disk without room for a data partition', { timeout: 900_000 }, () => {
  let board: Device;
  before(async () => {
    board = await Device.start(await imageUnderTest(), { diskMiB: 1 });
    await board.online();
  });
  after(() => board?.stop());

  test('data is in memory, which console, check and node say; pods run', async () => {
    await memoryOnly(board, /there is none, and it could not be made/);
    await loadTiny(board);
    await apply(board, tinyPod('web'));
    await untilPod(board, 'web', running);
    await noLoop(board);
  });
});

suite('a data partition that is damaged or full', { timeout: 2_400_000 }, () => {
  let board: Device;
  before(async () => {
    // Half a gigabyte of data is soon full.
    board = await Device.start(await imageUnderTest(), { diskMiB: 2200 });
    await board.online();
    await loadTiny(board);
    // A pod of any other priority is evicted, for good, when the disk is full.
    await apply(board, tinyPod('web', { spec: { priorityClassName: 'system-node-critical' } }));
    await untilPod(board, 'web', running);
    await board.sure('sync');
  });
  after(() => board?.stop());

  test('without its first superblock it is repaired, and what was in it is there', async () => {
    await board.machine.cutPower();
    overwrite(board.disk, dataOffset(board.disk), 4096);
    await board.powerCycle();
    await board.online();
    await podRuns(board);
    assert.match(await board.sure('edgepod image list'), /tiny/);
    await noLoop(board);
  });

  test('full: the agent starts, its pods run, the board is reached and says so; with room again it goes on', async () => {
    const fill = 'dd if=/dev/zero of=/var/lib/edgepod/fill bs=1M 2> /dev/null; sync; :';
    await board.sure(fill, { patienceMs: 600_000 });
    await board.powerCycle();
    await board.online();
    await podRuns(board);
    await board.until('the pressure', async () => (await nodeCondition(board, 'DiskPressure')).status === 'True');
    assert.match(await board.sure('edgepod check || :'), /^warn +data directory +.* nearly full/m);
    await noLoop(board);
    await board.sure('rm /var/lib/edgepod/fill');
    // It lasts for five minutes more, and a pod that comes meanwhile is evicted for good.
    const over = async () => (await nodeCondition(board, 'DiskPressure')).status === 'False';
    await board.until('the pressure to go', over, 900_000);
    await apply(board, tinyPod('later'));
    await untilPod(board, 'later', running);
  });

  test('destroyed: it is left alone, data is in memory, and the way back is said', async () => {
    await board.machine.cutPower();
    const start = dataOffset(board.disk);
    // Superblock and group descriptors, and every copy of them.
    for (let group = 0; group < 32; group++) overwrite(board.disk, start + group * (128 << 20), 4 << 20);
    await board.powerCycle();
    await board.online();
    await memoryOnly(board, /cannot be (repaired|mounted)/);
    await noLoop(board);
    // As the note says.
    await board.sure('mkfs.ext4 -qF /dev/disk/by-partlabel/edgepod-data && sync');
    await board.powerCycle();
    await board.online();
    assert.equal(await board.sure('findmnt -no FSTYPE /var/lib/edgepod'), 'ext4');
    await board.until('the note to go', async () => (await nodeCondition(board, 'BoardLimited')).status === 'False');
  });
});

async function podRuns(board: Device): Promise<void> {
  await board.until('the pod', async () => /sleeper/.test(await podProcesses(board)));
}

async function memoryOnly(board: Device, reason: RegExp): Promise<void> {
  assert.equal(await board.sure('findmnt -no FSTYPE /var/lib/edgepod'), 'tmpfs');
  assert.match(board.machine.console, reason);
  const check = await board.sure('edgepod check');
  assert.match(check, /^warn +data partition /m);
  assert.match(check, reason);
  const { status, message } = await nodeCondition(board, 'BoardLimited');
  assert.equal(status, 'True');
  assert.match(message, reason);
}

/** No unit has failed, and the agent is the one that was started first. */
async function noLoop(board: Device): Promise<void> {
  assert.equal(await board.sure('systemctl --failed --no-legend --plain'), '');
  assert.equal(await board.sure('systemctl show -p NRestarts --value edgepod'), '0');
}

/** Where the data partition begins, in bytes. */
function dataOffset(disk: string): number {
  const table = JSON.parse(execFileSync('sfdisk', ['--json', disk], { encoding: 'utf8' })) as {
    partitiontable: { partitions: { name: string; start: number; size: number }[] };
  };
  return table.partitiontable.partitions.find(({ name }) => name === 'edgepod-data')!.start * 512;
}

/** What a card does that wears out. */
function overwrite(disk: string, offset: number, bytes: number): void {
  const file = openSync(disk, 'r+');
  const rubbish = Buffer.alloc(1 << 20, 0xa5);
  // Not beyond its end, which would make it longer.
  const end = Math.min(offset + bytes, fstatSync(file).size);
  for (let at = 0; offset + at < end; at += rubbish.length)
    writeSync(file, rubbish, 0, Math.min(rubbish.length, end - offset - at), offset + at);
  closeSync(file);
}
