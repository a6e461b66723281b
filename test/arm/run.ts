/**
 * `npm run test:arm`: the suite on an emulated arm64 board; the exit code is the suite's.
 * Usage: node test/arm/run.ts [--deb FILE]   (a package to test instead of one made now)
 */
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import { deviceImage } from '../../image/device-image.ts';
import { demoImage } from '../images/demo-images.ts';
import { suiteDisk } from './suite-disk.ts';

const progress = (line: string) => process.stderr.write(`${line}\n`);
const { values } = parseArgs({ options: { deb: { type: 'string' } } });
// Before the suite's clock starts: on a fresh machine these take minutes.
const image = await deviceImage({ ...(values.deb !== undefined && { deb: values.deb }), progress });
for (const name of ['debian', 'nginx'] as const) await demoImage(name, { arch: 'arm64', progress });
process.env.EDGEPOD_DEVICE_IMAGE = JSON.stringify(image);
process.env.EDGEPOD_SUITE_DISK = await suiteDisk(progress);

const started = performance.now();
const tally = { passed: 0, failed: 0 };
const stream = run({ files: [join(import.meta.dirname, 'board.test.ts')], timeout: 1_500_000 });
stream.on('test:pass', ({ details, skip }) => {
  if (details.type !== 'suite' && skip === undefined) tally.passed += 1;
});
stream.on('test:fail', ({ details }) => {
  if (details.type !== 'suite') tally.failed += 1;
});
const { promise, resolve } = Promise.withResolvers<void>();
const reporter = stream.compose(spec);
reporter.on('end', resolve);
reporter.pipe(process.stdout, { end: false });
await promise;
const seconds = ((performance.now() - started) / 1000).toFixed(0);
process.stdout.write(`\non the arm64 board: ${tally.passed} passed, ${tally.failed} failed, ${seconds} s\n`);
process.exit(tally.failed === 0 && tally.passed > 0 ? 0 : 1);
