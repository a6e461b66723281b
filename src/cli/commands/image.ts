/** `edgepod image`: the images of this board. Works with no network and no agent running. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { action, CommandError } from '../failure.ts';
import { age } from '../output/age.ts';
import { outputFormat, printObjects } from '../output/print.ts';
import { table } from '../output/table.ts';
import { DEVICE_SETTINGS, withSettings } from '../settings.ts';

type Flags = Record<string, unknown> & { config?: string; name?: string; output?: string };

export function registerImage(program: Command): void {
  const image = program.command('image').description('images on this board: load, list, remove');
  withSettings(image.command('load'), { keys: DEVICE_SETTINGS })
    .description('load a docker-archive or OCI archive')
    .argument(
      '<file>',
      'archive, plain or compressed, with plain, gzip or zstd layers; or a directory with an OCI layout',
    )
    .option('--name <reference>', 'name it so instead of as the archive says')
    .action(action((file: string, flags: Flags) => withImages(flags, (images) => load(images, file, flags), true)));
  withSettings(image.command('list').alias('ls'), { keys: DEVICE_SETTINGS })
    .description('list images')
    .option('-o, --output <format>', 'wide, json or yaml')
    .action(action((flags: Flags) => withImages(flags, (images) => list(images, flags))));
  withSettings(image.command('remove').alias('rm'), { keys: DEVICE_SETTINGS })
    .description('remove an image by reference or id')
    .argument('<references...>', 'images')
    .action(
      action((names: string[], flags: Flags) =>
        withImages(flags, async ({ images, needed }) => {
          for (const name of names) {
            const { untagged, removed } = await images.remove(name, needed());
            for (const ref of untagged) process.stdout.write(`untagged ${ref}\n`);
            if (removed) process.stdout.write(`removed ${name}\n`);
          }
        }),
      ),
    );
}

type LocalImages = Awaited<ReturnType<typeof import('../../agent/local/images.ts')['openLocalImages']>>;

/** Opens the board's store for one command. `make`: also in a directory that was named and is not there yet. */
async function withImages(flags: Flags, use: (images: LocalImages) => Promise<void>, make = false): Promise<void> {
  const { loadConfig } = await import('../../agent/config/load-config.ts');
  const { openLocalImages } = await import('../../agent/local/images.ts');
  const { dataDir } = await loadConfig(flags.config, flags);
  // Named, it is a slip; the usual one is missing until the agent or an image is first there.
  if (!make && flags.dataDir !== undefined && !existsSync(dataDir))
    throw new CommandError(`there is no data directory ${dataDir} here: is it the agent's? see --data-dir`);
  const local = await openLocalImages(dataDir);
  try {
    await use(local);
  } finally {
    local.close();
  }
}

async function load({ images }: LocalImages, file: string, { name }: Flags): Promise<void> {
  const progress = process.stderr.isTTY ? (line: string) => process.stderr.write(`${line}\n`) : () => {};
  const loaded = await images.load(file, { progress, ...(name !== undefined && { name }) }).catch((error: Error) => {
    throw new CommandError(`cannot load ${file}: ${error.message}`);
  });
  for (const { refs, id, layersNew, layersShared } of loaded)
    process.stdout.write(
      `loaded ${refs.join(', ')} (${id.slice(7, 19)}; ${layersNew} new layers, ${layersShared} already here)\n`,
    );
}

async function list({ images }: LocalImages, { output }: Flags): Promise<void> {
  const format = outputFormat(output);
  const found = images.list();
  if (format === 'json' || format === 'yaml') {
    await printObjects(
      found.map(({ config, ...rest }) => ({ ...rest, config: JSON.parse(config) as unknown })),
      format,
      false,
    );
    return;
  }
  const wide = format === 'wide';
  const rows = found.flatMap(({ refs, id, size, loadedAt, architecture, layers }) =>
    (refs.length > 0 ? refs : ['']).map((ref) => [
      ref,
      id.slice(7, 19),
      `${(size / 1e6).toFixed(1)}MB`,
      age(loadedAt),
      ...(wide ? [architecture, String(layers.length)] : []),
    ]),
  );
  if (rows.length === 0) process.stderr.write('No images on this board: edgepod image load FILE\n');
  else process.stdout.write(table(['REFERENCE', 'ID', 'SIZE', 'AGE', ...(wide ? ['ARCH', 'LAYERS'] : [])], rows));
}
