/** The layer of an archive of ours that other images are built on. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LayerBlob } from './oci-writer.ts';

/** Takes the only layer, gzip, out of an OCI archive made by `writeArchive`: its blob below `work`, its files in `tree`. */
export function takeBaseLayer(archive: string, work: string, tree: string): LayerBlob {
  const layout = join(work, 'base-layout');
  for (const dir of [layout, tree]) mkdirSync(dir);
  execFileSync('tar', ['-xf', archive, '-C', layout]);
  const blob = (digest: string) => join(layout, 'blobs/sha256', digest.slice('sha256:'.length));
  const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
  const manifest = json(blob(json(join(layout, 'index.json')).manifests[0].digest));
  const path = blob(manifest.layers[0].digest);
  execFileSync('tar', ['-xpzf', path, '--xattrs', '--xattrs-include=*', '--numeric-owner', '-C', tree]);
  return { path, diffId: json(blob(manifest.config.digest)).rootfs.diff_ids[0], compress: 'gzip' };
}
