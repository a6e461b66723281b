/** `npm run test:arm`: the suite on an emulated arm64 board; the exit code is the suite's. */
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { deviceImage } from '../../image/device-image.ts';
import { inWords, UsageError } from '../../image/usage.ts';
import { demoImage } from '../images/demo-images.ts';
import { runTestFiles } from '../test-files.ts';
import { suiteDisk } from './suite-disk.ts';

const USAGE = `[options] [WHAT ...]
  --deb FILE    a package to test instead of one made now
  --guest FILE  a file below test/integration to run on the board instead of the usual ones (repeatable)
  WHAT          instead of the suite: machines (what boards differ in), boots (bad first-boot files), service (upgrade,
                watchdog, drain, purge), power (power cuts), native (native unit tests, the OCI command line), or a part of
                a test file's name. Each file boots boards of its own, minutes each.
`;
const INTEGRATION = join(import.meta.dirname, '../integration');
const progress = (line: string) => process.stderr.write(`${line}\n`);

await inWords({ name: 'test:arm', usage: USAGE }, async () => {
  const { values, positionals } = parseArgs({
    options: { deb: { type: 'string' }, guest: { type: 'string', multiple: true } },
    allowPositionals: true,
  });
  const missing = values.guest?.find((file) => !existsSync(join(INTEGRATION, file)));
  if (missing !== undefined) throw new UsageError(`--guest ${missing}: no such file below test/integration`);
  if (values.guest) process.env.EDGEPOD_GUEST_FILES = values.guest.join(' ');
  const files = positionals.length === 0 ? [join(import.meta.dirname, 'board.test.ts')] : chosen(positionals);
  // Before the suite's clock starts: on a fresh machine these take minutes, each of them one processor.
  const [image] = await Promise.all([
    deviceImage({ ...(values.deb !== undefined && { deb: values.deb }), progress }),
    // Its build makes that of debian as well.
    positionals.length === 0 && demoImage('nginx', { arch: 'arm64', progress }),
  ]);
  process.env.EDGEPOD_DEVICE_IMAGE = JSON.stringify(image);
  if (positionals.length === 0) process.env.EDGEPOD_SUITE_DISK = await suiteDisk(progress);

  const started = performance.now();
  // Ended from outside, no board is left behind: test files end theirs when they are told to.
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
  // One board at a time: an emulated one takes all the processors there are.
  const tally = await runTestFiles(files, { concurrency: 1, timeout: 3_600_000, signal: stop.signal });
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  process.stdout.write(`\non the arm64 board: ${tally.passed} passed, ${tally.failed} failed, ${seconds} s\n`);
  process.exit(tally.failed === 0 && tally.passed > 0 ? 0 : 1);
});

/** Test files whose path has one of `parts` in it; UsageError when there is none. */
function chosen(parts: string[]): string[] {
  const here = import.meta.dirname;
  const all = globSync(['arm/*/*.test.ts', 'fault/power-*.test.ts'], { cwd: join(here, '..') }).sort();
  const found = all.filter((file) => parts.some((part) => file.includes(part)));
  if (found.length > 0) return found.map((file) => join(here, '..', file));
  throw new UsageError(`no test matches ${parts.join(' ')}; there are ${all.join(', ')}`);
}
