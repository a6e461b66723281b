import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guestArguments } from '../../../image/qemu/arguments.ts';
import { MACHINES } from '../../../image/qemu/machines.ts';
import { readMoment } from '../../../image/qemu/moments.ts';

const parts = {
  disk: { path: 'd.img', kernel: 'k', initrd: 'i' },
  ports: new Map([[22, 2222]]),
  extraDisks: [],
};
const line = (machine: string) => guestArguments(MACHINES[machine]!, parts).join(' ');

test('each machine differs from the board in what its name says', () => {
  const expected: [machine: string, has: RegExp][] = [
    ['small', /-smp 1 -m 512M/],
    ['quad', /-smp 4 -m 1G/],
    ['no-memory-controller', /-append root=\S+ rw .*cgroup_disable=memory/],
    ['no-psi', /-append root=\S+ rw .*psi=0/],
    ['read-only-root', /-append root=\S+ ro systemd\.volatile=state/],
    ['64-bit-only', /-cpu a64fx/],
    ['pages-16k', /-cpu cortex-a76/],
    ['clock-1970', /-rtc base=1970-01-01/],
  ];
  for (const [machine, has] of expected) {
    assert.match(line(machine), has);
    assert.doesNotMatch(line('board'), has);
  }
  assert.deepEqual(Object.keys(MACHINES).sort(), ['board', ...expected.map(([machine]) => machine)].sort());
});

test('moments: seconds, a pattern on the console, a topic; anything else is an error that says what there is', async () => {
  const never = AbortSignal.abort(new Error('over'));
  for (const text of ['3', '0.5']) assert.equal(typeof readMoment(text, 'mqtt://b'), 'function');
  let asked: RegExp | undefined;
  const prints = async (pattern: RegExp) => {
    asked = pattern;
  };
  const machine = { prints } as never;
  await readMoment('console:agent\\.ready', 'mqtt://b')(machine, never);
  assert.deepEqual(asked, /agent\.ready/);
  await assert.rejects(readMoment('5', 'mqtt://b')(machine, never), { name: 'AbortError' });
  for (const text of ['', 'soon', 'console:', 'topic:x'])
    assert.throws(() => readMoment(text, 'mqtt://b'), /is no moment: a number of seconds, console:PATTERN or mqtt:/);
});
