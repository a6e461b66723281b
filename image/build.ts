/** `npm run image`: the bootable arm64 device image, with edgepod's package installed. Prints the path of the image. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { CACHE, deviceImage, KERNEL } from './device-image.ts';
import { baseSystem } from './rootfs/base.ts';
import { inWords, UsageError } from './usage.ts';

const USAGE = `[options]
  --deb FILE        a package to install instead of one made now
  --kernel PACKAGE  of Debian; default ${KERNEL}, for virtual machines. For real boards linux-image-arm64
  --read-only-root  a board that never writes its system
  --only-base       the Debian system below the image alone, the long part, which then is there for the next image
`;
const progress = (line: string) => process.stderr.write(`image: ${line}\n`);
const started = performance.now();
const seconds = () => ((performance.now() - started) / 1000).toFixed(0);

await inWords({ name: 'image', usage: USAGE }, async () => {
  const { values } = parseArgs({
    options: {
      deb: { type: 'string' },
      kernel: { type: 'string', default: KERNEL },
      'read-only-root': { type: 'boolean', default: false },
      'only-base': { type: 'boolean', default: false },
    },
  });
  const { deb, kernel } = values;
  if (deb !== undefined && !existsSync(deb)) throw new UsageError(`--deb ${deb}: there is no such file`);
  if (values['only-base']) {
    process.stdout.write(`${await baseSystem({ cacheDir: CACHE, kernel, progress })}\n`);
    progress(`base system: ${seconds()} s`);
    return;
  }
  const readOnlyRoot = values['read-only-root'];
  const image = await deviceImage({ ...(deb !== undefined && { deb }), kernel, readOnlyRoot, progress });
  const size = execFileSync('du', ['-h', image.disk], { encoding: 'utf8' }).split('\t')[0];
  progress(`${size} on disk, ${seconds()} s`);
  process.stdout.write(`${image.disk}\n`);
});
