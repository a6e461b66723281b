/** The board's images from another process than the agent: same directories, same database (WAL takes two writers). */
import { join } from 'node:path';
import { Hardware } from '../images/hardware.ts';
import { ImageStore } from '../images/image-store.ts';
import { Unpacker } from '../images/unpacker.ts';
import { ociArchitecture } from '../node/facts.ts';
import type { PodRecord } from '../pods/types.ts';
import { loadAddon, nativeDir } from '../runtime/native.ts';
import { openStore } from '../store/store.ts';

export interface LocalImages {
  images: ImageStore;
  /** Ids of images that pods of this board run or are about to. */
  inUse(): Set<string>;
  close(): void;
}

export async function openLocalImages(dataDir: string): Promise<LocalImages> {
  const quiet = { debug: () => {}, info: () => {}, warn: console.warn, error: console.error };
  const store = openStore(join(dataDir, 'edgepod.db'), { log: quiet, now: () => new Date() });
  const images = new ImageStore({
    dir: join(dataDir, 'images'),
    repo: store.images,
    unpacker: new Unpacker(join(nativeDir(), 'edgepod-unpack')),
    hardware: new Hardware(ociArchitecture(), () => loadAddon().runsArm32()),
  });
  return {
    images,
    inUse: () => {
      const records = store.pods.list().map(({ record }) => JSON.parse(record) as PodRecord);
      const ids = records.filter(({ outcome }) => outcome === undefined).flatMap((record) => imagesOf(record));
      return new Set(ids);
    },
    close: () => store.close(),
  };
}

function imagesOf({ containers }: PodRecord): string[] {
  return Object.values(containers).flatMap(({ imageID }) => imageID ?? []);
}
