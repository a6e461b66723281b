/** A volume, or a mount of one, that cannot be had as the manifest asks. `code` is stable. */
export class VolumeError extends Error {
  readonly code: 'E_HOST_PATH' | 'E_SUB_PATH' | 'E_EMPTY_DIR';
  readonly volume: string;
  readonly path: string;

  constructor(code: VolumeError['code'], { volume, path, why }: { volume: string; path: string; why: string }) {
    super(`volume "${volume}": ${path}: ${why}`);
    this.name = 'VolumeError';
    this.code = code;
    this.volume = volume;
    this.path = path;
  }
}
