import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceManager } from '../../../src/agent/process/service-manager.ts';

function rig(env: NodeJS.ProcessEnv) {
  const told: string[] = [];
  const state = { status: '0 pods' };
  const manager = new ServiceManager({
    notify: (text) => told.push(text) > 0,
    status: () => state.status,
    env,
    pid: 7,
  });
  return { told, state, manager };
}

test('ready, then three signs of life per watchdog interval, and a status only when it changed', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { told, state, manager } = rig({ NOTIFY_SOCKET: '/s', WATCHDOG_USEC: '60000000', WATCHDOG_PID: '7' });
  manager.ready();
  assert.deepEqual(told.splice(0), ['READY=1\nSTATUS=0 pods']);
  t.mock.timers.tick(40_000);
  assert.deepEqual(told.splice(0), ['WATCHDOG=1', 'WATCHDOG=1']);
  state.status = '1 pod';
  t.mock.timers.tick(40_000);
  assert.deepEqual(told.splice(0), ['WATCHDOG=1\nSTATUS=1 pod', 'WATCHDOG=1']);
  manager.stopping();
  t.mock.timers.tick(120_000);
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /^STOPPING=1\n/);
});

test('a watchdog that is for another process is not fed; without systemd nothing is said', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const other = rig({ NOTIFY_SOCKET: '/s', WATCHDOG_USEC: '60000000', WATCHDOG_PID: '8' });
  other.manager.ready();
  t.mock.timers.tick(120_000);
  assert.deepEqual(other.told, ['READY=1\nSTATUS=0 pods']);
  const alone = rig({ WATCHDOG_USEC: '60000000' });
  alone.manager.ready();
  t.mock.timers.tick(120_000);
  assert.deepEqual(alone.told, []);
});
