/** rsyslogd in three containers: they talk over a socket and over localhost, and each dies its own death. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import type { Pod } from '../../../../src/manifest/types/pod.ts';
import type { Board } from '../board.ts';
import { running } from '../pods.ts';
import { infraOf, initOf, parentOf, processesOf, statusOf as procStatus } from '../processes.ts';
import { apply, crash, logs, openBoard, restarted, statusOf, VolumeFile } from './example.ts';

const CONTAINERS = ['main', 'imklog', 'imuxsock'];
let board: Board;
let pod: Pod;
let uid: string;
before(async () => {
  board = await openBoard(['rsyslog']);
  await apply(board, 'process-group/pod.yaml', '--wait');
  pod = await board.pod('rsyslog', running);
  uid = pod.metadata.uid!;
});
after(async () => assert.deepEqual(await board.close(), []));

let count = 0;
/** What the kernel would say. */
const kernelSays = (text: string) =>
  new VolumeFile(board, uid, 'sockets', 'kmsg').append(`<6>[   12.345678] ${text}\n`);
/** What a program says. */
const programSays = (text: string, priority = 'user.notice') =>
  execFileSync('logger', ['-u', new VolumeFile(board, uid, 'sockets', 'log').path, '-p', priority, '-t', 'door', text]);

/** Says something with `say` until it has come out of main: a message on its way when a peer dies may be lost. */
async function arrives(say: (text: string) => void, line: RegExp): Promise<void> {
  for (let attempt = 0; attempt < 60; attempt++) {
    const text = `message ${++count}`;
    try {
      say(text);
    } catch {
      // its socket is not there yet
    }
    for (let look = 0; look < 5; look++) {
      const said = (await logs(board, 'rsyslog', 'main')).split('\n').find((one) => one.endsWith(text));
      if (said !== undefined) {
        assert.match(said, line);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  assert.fail(`nothing came out of main:\n${await logs(board, 'rsyslog', 'main')}`);
}
const bothArrive = async () => {
  await arrives(kernelSays, /^kern\.info kernel: .*message \d+$/);
  await arrives(programSays, /^user\.notice door: message \d+$/);
};

test('what the kernel and programs say comes out of main, over a Unix socket and over localhost', bothArrive);

test('a child that forked twice is reaped by the infra process', async () => {
  programSays('the house is on fire', 'user.alert');
  const alerts = new VolumeFile(board, uid, 'sockets', 'alerts');
  await board.until('the notifier', () => alerts.read().includes('on fire'));
  assert.match(alerts.read(), /^notified by \d+, child of 1 \(pause\): user\.alert door: the house is on fire\n/);
  const infra = infraOf(uid)!;
  const orphans = () => [...processesOf(uid).values()].flat().filter((pid) => parentOf(pid) === infra);
  await board.until('its end', () => orphans().length === 0);
  const zombies = [...processesOf(uid).values()].flat().filter((pid) => procStatus(pid, 'State')?.startsWith('Z'));
  assert.deepEqual(zombies, []);
});

for (const victim of CONTAINERS)
  test(`the death of ${victim} is ${victim}'s: the others keep their processes, and all are soon back in touch`, async () => {
    const others = CONTAINERS.filter((name) => name !== victim);
    const inits = () => others.map((name) => initOf(uid, name));
    const before = inits();
    crash(uid, victim);
    const now = await restarted(board, 'rsyslog', victim, 1);
    const { terminated } = statusOf(now, victim).lastState;
    assert.deepEqual([terminated?.exitCode, terminated?.signal, terminated?.reason], [137, 9, 'Error']);
    for (const name of others) {
      const { restartCount, state, containerID } = statusOf(now, name);
      assert.equal(restartCount, CONTAINERS.indexOf(name) < CONTAINERS.indexOf(victim) ? 1 : 0, name);
      assert.ok(state.running, name);
      if (restartCount === 0) assert.equal(containerID, statusOf(pod, name).containerID);
    }
    assert.deepEqual(inits(), before);
    assert.equal(now.metadata.uid, uid);
    await bothArrive();
  });
