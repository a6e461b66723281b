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

/** The image of a volume cannot be had: what its containers wait for, as for an image of their own. */
export class VolumeImageError extends Error {
  readonly volume: string;
  readonly reference: string;
  override readonly cause: unknown;

  constructor(volume: string, reference: string, cause: unknown) {
    super(`volume "${volume}": ${cause instanceof Error ? cause.message : String(cause)}`);
    this.name = 'VolumeImageError';
    this.volume = volume;
    this.reference = reference;
    this.cause = cause;
  }
}

/** A volume that cannot be made yet: what it is made from is not there. In the kubelet's words. */
export class SetUpError extends Error {
  readonly code = 'E_VOLUME_SET_UP';

  constructor(volume: string, why: string) {
    super(`MountVolume.SetUp failed for volume "${volume}" : ${why}`);
    this.name = 'SetUpError';
  }
}
