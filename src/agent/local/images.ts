/** The board's images from another process than the agent: same directories, same database (WAL takes two writers). */
import { join } from 'node:path';
import type { Needed } from '../../images/garbage.ts';
import { Hardware } from '../../images/hardware.ts';
import { ImageStore } from '../../images/image-store.ts';
import { Unpacker } from '../../images/unpacker.ts';
import { ociArchitecture } from '../../node/facts.ts';
import { upgraded } from '../../pods/adoption/upgrade.ts';
import { neededImages } from '../../pods/eviction/needed-images.ts';
import { loadAddon, nativeDir } from '../../runtime/native.ts';
import { openStore } from '../../store/store.ts';
import { StoredDesired } from '../pods/desired.ts';
import { podRecords } from '../pods/records.ts';
import { normalisedNeeds } from '../upkeep/needed-images.ts';

export interface LocalImages {
  images: ImageStore;
  /** What pods of this board run, and what those need that are desired and have not begun. */
  needed(): Needed;
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
    needed: () => {
      // A manifest that this version does not accept any more begins no pod.
      const all = new StoredDesired(store.objects, () => {}).list();
      const desired = all.filter(({ deletionTimestamp }) => deletionTimestamp === undefined);
      const records = podRecords(store.pods)
        .list()
        .map((record) => upgraded(record, 0));
      return normalisedNeeds(neededImages({ desired, records }));
    },
    close: () => store.close(),
  };
}
