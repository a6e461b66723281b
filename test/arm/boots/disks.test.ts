/** Disks that are too small or damaged: the board boots, says so, and nothing starts over and over. */
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

suite('a data partition that is damaged', { timeout: 2_400_000 }, () => {
  let board: Device;
  before(async () => {
    board = await Device.start(await imageUnderTest());
    await board.online();
    await loadTiny(board);
    await apply(board, tinyPod('web'));
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
