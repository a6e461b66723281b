/** Boards whose pods can have no packet filter rules: without the tool, and with a kernel that has no nf_tables. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { EDGEPOD } from '../../edgepod.ts';
import { demoImage } from '../../images/demo-images.ts';
import { Board } from './board.ts';
import { running, SLEEP, shellPod, state } from './pods.ts';

const PATIENCE = 60_000;
/** The agent's own view of /usr/sbin, in which `change` is done. */
const inView = (change: string) =>
  'mount -t tmpfs tmpfs /mnt && mkdir /mnt/u /mnt/w && ' +
  'mount -t overlay overlay -o lowerdir=/usr/sbin,upperdir=/mnt/u,workdir=/mnt/w /usr/sbin && ' +
  `${change} && exec "$0" "$@"`;
/** On such a kernel the real tool ends with 1 too. */
const REFUSES = 'rm /usr/sbin/nft && cp /bin/false /usr/sbin/nft';

function networkCondition(board: Board): { status: string; message: string } | undefined {
  const node = JSON.parse(board.topics.get(board.topic('node'))?.toString() ?? '{}');
  return node.status?.conditions.find(({ type }: { type: string }) => type === 'NetworkUnavailable');
}

describe('a board without packet filter', () => {
  for (const [what, change, reason] of [
    ['no nft', 'rm /usr/sbin/nft', /the nft tool is not installed \(Debian package nftables\)/],
    ['a kernel without nf_tables', REFUSES, /nft ended with 1/],
  ] as const)
    test(`${what}: pods have their network, hostPort says why not, and so do the node and edgepod check`, async () => {
      const board = await Board.open({ through: ['unshare', '--mount', 'sh', '-c', inView(change)] });
      await board.load(await demoImage('debian'));
      await board.until('the condition, before any pod', () => networkCondition(board)?.status === 'True', PATIENCE);
      assert.match(networkCondition(board)?.message ?? '', reason);

      const ports = [{ containerPort: 80, hostPort: 20_000 + (process.pid % 10_000), protocol: 'TCP' as const }];
      await board.desire('inside', shellPod('inside', [{ sh: SLEEP }]));
      await board.desire('public', shellPod('public', [{ sh: SLEEP, ports }]));
      const inside = await board.pod('inside', running, PATIENCE);
      assert.match(inside.status?.podIP ?? '', /^10\./);
      const refused = await board.pod('public', (p) => state(p).waiting?.message !== undefined, PATIENCE);
      const said = state(refused).waiting?.message ?? '';
      assert.match(said, /hostPort needs the board's packet filter/);
      assert.match(said, reason);

      const check = promisify(execFile)('nsenter', [`--mount=/proc/${board.agent?.pid}/ns/mnt`, EDGEPOD, 'check']);
      const { stdout } = await check.catch((error: { stdout: string }) => error);
      assert.match(stdout, new RegExp(`warn +nftables +pods have no way out and no hostPort: .*${reason.source}`));
      for (const name of ['inside', 'public']) await board.undesire(name);
      assert.deepEqual(await board.close(), []);
    });
});
