/**
 * `npm run image`: the bootable arm64 device image, with edgepod's package installed. Prints the path of the image.
 * Usage: node image/build.ts [--deb FILE] [--kernel PACKAGE] [--read-only-root]
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { deviceImage } from './device-image.ts';

const { values } = parseArgs({
  options: {
    deb: { type: 'string' },
    kernel: { type: 'string', default: 'linux-image-cloud-arm64' },
    'read-only-root': { type: 'boolean', default: false },
  },
});
const progress = (line: string) => process.stderr.write(`image: ${line}\n`);
const started = performance.now();
const image = await deviceImage({
  ...(values.deb !== undefined && { deb: values.deb }),
  kernel: values.kernel,
  readOnlyRoot: values['read-only-root'],
  progress,
});
const size = execFileSync('du', ['-h', image.disk], { encoding: 'utf8' }).split('\t')[0];
progress(`${size} on disk, ${((performance.now() - started) / 1000).toFixed(0)} s`);
process.stdout.write(`${image.disk}\n`);
