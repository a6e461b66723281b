/** `npm run bench`: edgepod beside its peers, in one run on this machine. Prints ratios; decides nothing. */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nativeDir } from '../../src/runtime/native.ts';
import { buildImages } from '../images/demo-images.ts';
import { preparePeers } from './peers.ts';
import { benchPods } from './pods.ts';
import { benchProbes } from './probes.ts';
import { benchRunner } from './runner.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } });
const rounds = Number(values.rounds);

const version = (command: string) => execFileSync(command, ['--version'], { encoding: 'utf8' }).split('\n', 1)[0];
process.stdout.write(
  `edgepod bench: ${cpus().length} × ${cpus()[0]?.model}, ${process.arch}; ${version('crun')}, ${version('runc')}, ${version('podman')}\n`,
);
const peers = preparePeers();
try {
  await benchRunner(join(nativeDir(), 'edgepod-runner'), rounds);
  await benchProbes();
  const archives = await buildImages((line) => process.stdout.write(`${line}\n`));
  await benchPods(archives, peers.env, rounds);
} finally {
  peers.undo();
}
