/** `npm run bench`: edgepod beside its peers, in one run on one machine. Prints ratios; decides nothing. */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { inWords, UsageError } from '../../image/usage.ts';
import { nativeDir } from '../../src/runtime/native.ts';
import { buildImages } from '../images/demo-images.ts';
import { EMULATED } from './measure.ts';
import { preparePeers } from './peers.ts';
import { benchPods } from './pods.ts';
import { benchProbes } from './probes.ts';
import { benchRunner } from './runner.ts';

const USAGE = `[options]
  --rounds N  how often each is measured; default 20, on an emulated board 5
  --board     on an emulated arm64 board instead of this machine (some twenty minutes)
`;

await inWords({ name: 'bench', usage: USAGE }, async () => {
  const { values } = parseArgs({ options: { rounds: { type: 'string' }, board: { type: 'boolean', default: false } } });
  const rounds = values.rounds ?? (values.board ? '5' : '20');
  if (!/^[1-9]\d{0,3}$/.test(rounds)) throw new UsageError(`--rounds ${rounds}: a whole number from 1 to 9999`);
  if (!values.board) return await benchHere(Number(rounds));
  const { benchOnBoard } = await import('./emulated-board.ts');
  await benchOnBoard(Number(rounds));
});

async function benchHere(rounds: number): Promise<void> {
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const version = (command: string) => execFileSync(command, ['--version'], { encoding: 'utf8' }).split('\n', 1)[0];
  const machine = `${cpus().length} × ${cpus()[0]?.model}, ${process.arch}`;
  print(`edgepod bench: ${machine}; ${version('crun')}, ${version('runc')}, ${version('podman')}`);
  if (EMULATED) print('An emulated board: its times are good as ratios only, and none is judged by the clock.');
  const peers = preparePeers();
  try {
    await benchRunner(join(nativeDir(), 'edgepod-runner'), rounds);
    // A hundred answers a second are more than an emulated processor has.
    if (!EMULATED) await benchProbes();
    await benchPods(await buildImages(print), peers.env, rounds);
  } finally {
    peers.undo();
  }
}
