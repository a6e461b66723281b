/** What the containers of the example pods print about their namespaces. All combinations: ../namespaces.test.ts. */
import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Board } from '../board.ts';
import { running } from '../pods.ts';
import { apply, logs, openBoard } from './example.ts';

const KINDS = ['net', 'ipc', 'uts', 'pid', 'user', 'mnt', 'cgroup'];
/** Kinds each example shares between its containers, and with the node. */
const SHARED: Record<string, { pod: string[]; node: string[] }> = {
  isolated: { pod: ['net', 'ipc', 'uts', 'user'], node: ['user'] },
  'shared-processes': { pod: ['net', 'ipc', 'uts', 'pid', 'user'], node: ['user'] },
  host: { pod: ['net', 'ipc', 'uts', 'pid', 'user'], node: ['net', 'ipc', 'uts', 'pid', 'user'] },
  'own-users': { pod: ['net', 'ipc', 'uts', 'user'], node: [] },
};

let board: Board;
before(async () => {
  board = await openBoard(['debian']);
});
after(async () => assert.deepEqual(await board.close(), []));

for (const [name, { pod, node }] of Object.entries(SHARED))
  test(`${name}: ${pod.join(', ')} are shared in the pod, ${node.join(', ') || 'none'} with the node`, async () => {
    await apply(board, `namespaces/${name}.yaml`, '--wait');
    await board.pod(name, running);
    const printed = async (container: string) => (await logs(board, name, container)).trim().split('\n');
    const [first, second] = [await printed('first'), await printed('second')];
    assert.equal(first.length, KINDS.length);
    const own = KINDS.map((kind) => readlinkSync(`/proc/self/ns/${kind}`));
    const equal = (one: string[], other: string[]) => KINDS.filter((_, at) => one[at] === other[at]);
    assert.deepEqual(equal(first, second), pod);
    assert.deepEqual(equal(first, own), node);
    await board.undesire(name);
  });
