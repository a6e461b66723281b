/** The smallest board and one of four cores: the agent fits, and offers pods what is left. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { MACHINES } from '../../../image/qemu/machines.ts';
import { Device } from '../device.ts';
import { imageUnderTest } from '../image.ts';
import { nodeCondition, nodeNow } from '../node-condition.ts';
import { apply, loadTiny, restarts, running, tinyPod, untilPod } from '../tiny-pods.ts';

const MIB = 1 << 20;

/** Boots, looks at what the node says of itself, runs a pod. */
async function boardOf(machine: string, look: (device: Device) => Promise<void>): Promise<void> {
  const device = await Device.start(await imageUnderTest(), { shape: MACHINES[machine]! });
  try {
    await device.online();
    await loadTiny(device);
    await apply(device, tinyPod('web'));
    await untilPod(device, 'web', running);
    await look(device);
  } finally {
    await device.stop();
  }
}

suite('sizes of boards', { timeout: 1_800_000 }, () => {
  test('512 MB, one core: the agent is small, a pod too large is refused, one over its limit dies alone', async () =>
    boardOf('small', async (device) => {
      const { capacity, allocatable } = (await nodeNow(device)).status;
      assert.equal(capacity.cpu, '1');
      assert.ok(bytes(capacity.memory!) < 512 * MIB && bytes(capacity.memory!) > 400 * MIB, capacity.memory);
      assert.ok(bytes(allocatable.memory!) < bytes(capacity.memory!));
      assert.equal((await nodeCondition(device, 'MemoryPressure')).status, 'False');
      const rss = await device.sure('grep RssAnon /proc/$(systemctl show -p MainPID --value edgepod)/status');
      assert.ok(Number(/\d+/.exec(rss)![0]) < 64 * 1024, rss);

      const large = { resources: { requests: { memory: '600Mi' } } };
      await apply(device, tinyPod('large', { container: large }));
      const refused = await untilPod(device, 'large', (pod) => pod.status?.phase === 'Failed');
      assert.equal(refused.status!.reason, 'OutOfmemory');

      const greedy = { resources: { limits: { memory: '24Mi' } } };
      await apply(
        device,
        tinyPod('greedy', { command: ['/bin/hog', '64'], spec: { restartPolicy: 'Never' }, container: greedy }),
      );
      const dead = await untilPod(device, 'greedy', (pod) => pod.status?.phase === 'Failed');
      assert.equal(dead.status!.containerStatuses[0]!.state.terminated?.reason, 'OOMKilled');
      assert.equal(restarts(await untilPod(device, 'web', running)), 0);
    }));

  test('1 GB, four cores', async () =>
    boardOf('quad', async (device) => {
      const { capacity } = (await nodeNow(device)).status;
      assert.equal(capacity.cpu, '4');
      assert.ok(bytes(capacity.memory!) > 900 * MIB, capacity.memory);
      await apply(device, tinyPod('wide', { container: { resources: { requests: { cpu: '3' } } } }));
      await untilPod(device, 'wide', running);
    }));
});

/** Of a quantity as the node object has it: `486400Ki`. */
function bytes(quantity: string): number {
  const [, number, unit = ''] = /^(\d+)(Ki|Mi|)$/.exec(quantity)!;
  return Number(number) * { '': 1, Ki: 1024, Mi: MIB }[unit]!;
}
