/** Why an image cannot be had. The first four are Kubernetes' waiting reasons. */
export type ImageErrorCode =
  | 'InvalidImageName'
  | 'ErrImagePull'
  | 'ErrImageNeverPull'
  | 'ImageInspectError'
  /** The archive is damaged, hostile, or not an image. */
  | 'ArchiveInvalid'
  /** The image is in order, but for other hardware. */
  | 'WrongPlatform'
  /** This machine could not store it: disk full, I/O error, missing privilege. */
  | 'LoadFailed'
  | 'ImageInUse'
  | 'NoSuchImage';

export class ImageError extends Error {
  readonly code: ImageErrorCode;
  constructor(code: ImageErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ImageError';
    this.code = code;
  }
}
