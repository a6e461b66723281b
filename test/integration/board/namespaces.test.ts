/** Which namespaces the processes of a pod share with each other and with the node, read from /proc/<pid>/ns. */
import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { demoImage } from '../../images/demo-images.ts';
import { Board } from './board.ts';
import { running, SLEEP, shellPod } from './pods.ts';
import { infraOf, processesOf } from './processes.ts';

let board: Board;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
});
after(async () => assert.deepEqual(await board.close(), []));

const KINDS = ['net', 'ipc', 'uts', 'pid', 'user', 'mnt', 'cgroup'] as const;
type Kind = (typeof KINDS)[number];
type Namespaces = Record<Kind, string>;

const namespacesOf = (pid: number | 'self'): Namespaces =>
  Object.fromEntries(KINDS.map((kind) => [kind, readlinkSync(`/proc/${pid}/ns/${kind}`)])) as Namespaces;

interface Row {
  hostNetwork?: boolean;
  hostPID?: boolean;
  hostIPC?: boolean;
  shareProcessNamespace?: boolean;
  hostUsers?: boolean;
}

const rows: Row[] = [
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((bits) => ({
    ...(bits & 1 && { hostNetwork: true }),
    ...(bits & 2 && { hostPID: true }),
    ...(bits & 4 && { hostIPC: true }),
  })),
  { shareProcessNamespace: true },
  { shareProcessNamespace: true, hostNetwork: true, hostIPC: true },
  { hostUsers: false },
  { hostUsers: false, shareProcessNamespace: true },
];

/** Each kind: the node's, one for the pod, or one for each container. */
function expected(row: Row): Record<Kind, 'node' | 'pod' | 'container'> {
  return {
    net: row.hostNetwork ? 'node' : 'pod',
    uts: row.hostNetwork ? 'node' : 'pod',
    ipc: row.hostIPC ? 'node' : 'pod',
    pid: row.hostPID ? 'node' : row.shareProcessNamespace ? 'pod' : 'container',
    user: row.hostUsers === false ? 'pod' : 'node',
    mnt: 'container',
    cgroup: 'container',
  };
}

for (const [index, row] of rows.entries())
  test(`namespaces with ${JSON.stringify(row)}`, async () => {
    const name = `ns-${index}`;
    await board.desire(name, shellPod(name, [{ sh: SLEEP }, { sh: SLEEP }], row));
    const pod = await board.pod(name, running);
    const processes = processesOf(pod.metadata.uid!);
    const node = namespacesOf('self');
    const [first, second] = ['c0', 'c1'].map((container) => {
      const pids = processes.get(container) ?? [];
      assert.ok(pids.length > 0, `${container} has processes`);
      const all = pids.map(namespacesOf);
      for (const one of all) assert.deepEqual(one, all[0], `every process of ${container}`);
      return all[0]!;
    });
    const held = namespacesOf(infraOf(pod.metadata.uid!)!);
    for (const [kind, whose] of Object.entries(expected(row)) as [Kind, string][]) {
      const said = `${kind} is the ${whose}'s`;
      assert.equal(first![kind] === node[kind], whose === 'node', said);
      assert.equal(first![kind] === second![kind], whose !== 'container', said);
      if (whose === 'pod') assert.equal(first![kind], held[kind], `${said}, held by the infra process`);
    }
    await board.undesire(name);
  });
