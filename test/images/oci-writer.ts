/** Writes image archives: OCI layout in a tar, or docker-archive, from layer blobs that are files on disk. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, createReadStream, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export type Compression = 'gzip' | 'zstd' | 'none';
export type ArchiveFormat = 'oci' | 'docker';

/** One layer: its compressed (or plain) tar as a file. */
export interface LayerBlob {
  path: string;
  /** `sha256:…` of the uncompressed tar. */
  diffId: string;
  compress: Compression;
}

/** The `config` object of an OCI image configuration, as `docker inspect` shows it. */
export interface RunConfig {
  Env?: string[];
  Cmd?: string[];
  Entrypoint?: string[];
  WorkingDir?: string;
  User?: string;
  StopSignal?: string;
  ExposedPorts?: Record<string, object>;
  Volumes?: Record<string, object>;
  Labels?: Record<string, string>;
}

export interface ImageParts {
  /** Reference written into the archive, e.g. `nginx` or `example.org/a/b:1.0`. */
  name: string;
  /** As Go names it. */
  arch: string;
  config: RunConfig;
  layers: LayerBlob[];
}

const mediaTypes: Record<Compression, string> = {
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  none: 'application/vnd.oci.image.layer.v1.tar',
};

/** Writes the archive and returns `output`. */
export async function writeArchive(output: string, format: ArchiveFormat, parts: ImageParts): Promise<string> {
  mkdirSync(dirname(output), { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'edgepod-image-'));
  try {
    if (format === 'oci') await writeLayout(work, parts);
    else writeDockerTree(work, parts);
    execFileSync('tar', ['-cf', output, '--sort=name', '--owner=0', '--group=0', '--mtime=@0', '-C', work, '.']);
    return output;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Writes an OCI image layout directory into `dir`. */
export async function writeLayout(dir: string, parts: ImageParts): Promise<void> {
  const blobs = join(dir, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const layers = [];
  for (const layer of parts.layers) {
    const digest = await fileDigest(layer.path);
    copyFileSync(layer.path, join(blobs, digest.slice(7)));
    layers.push({ mediaType: mediaTypes[layer.compress], digest, size: statSync(layer.path).size });
  }
  const config = putBlob(blobs, 'application/vnd.oci.image.config.v1+json', imageConfig(parts));
  const manifest = putBlob(blobs, 'application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config,
    layers,
  });
  const annotations = { 'org.opencontainers.image.ref.name': parts.name };
  const platform = { os: 'linux', architecture: parts.arch };
  writeFileSync(join(dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(dir, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, platform, annotations }] }),
  );
}

function writeDockerTree(dir: string, parts: ImageParts): void {
  const config = Buffer.from(JSON.stringify(imageConfig(parts)));
  const configName = `${sha256(config).slice(7)}.json`;
  writeFileSync(join(dir, configName), config);
  const layers = parts.layers.map((layer, index) => {
    const name = `${index}-${layer.diffId.slice(7, 27)}/layer.tar`;
    mkdirSync(dirname(join(dir, name)));
    copyFileSync(layer.path, join(dir, name));
    return name;
  });
  const tag = parts.name.includes(':') ? parts.name : `${parts.name}:latest`;
  writeFileSync(join(dir, 'manifest.json'), JSON.stringify([{ Config: configName, RepoTags: [tag], Layers: layers }]));
}

function imageConfig({ arch, config, layers }: ImageParts): object {
  return {
    created: '2024-01-01T00:00:00Z',
    architecture: arch,
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
  };
}

function putBlob(blobs: string, mediaType: string, value: object): { mediaType: string; digest: string; size: number } {
  const data = Buffer.from(JSON.stringify(value));
  const digest = sha256(data);
  writeFileSync(join(blobs, digest.slice(7)), data);
  return { mediaType, digest, size: data.length };
}

/** `sha256:<hex>` of bytes. */
export function sha256(data: Buffer): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}

/** `sha256:<hex>` of a file, streamed. */
export async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}
