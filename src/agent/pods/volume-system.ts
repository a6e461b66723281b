/** What volumes need of the kernel, by the addon. */
import type { VolumeSystem } from '../../pods/volumes/volume-maker.ts';
import type { Addon } from '../../runtime/native.ts';

export function volumeSystem(addon: Addon): VolumeSystem {
  return {
    mountTmpfs: (path, { sizeBytes, mode }) => addon.mountTmpfs(path, sizeBytes, mode),
    mountLayers: (path, lowerDirs) => addon.mountLayers(path, lowerDirs),
    unmount: (path) => addon.unmount(path, true),
    setTreeGroup: (path, group, onlyOnMismatch) => addon.setTreeGroup(path, group, onlyOnMismatch),
  };
}
