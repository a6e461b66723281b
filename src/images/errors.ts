/** Why an image cannot be had. `code` is the Kubernetes waiting reason where there is one. */
export type ImageErrorCode =
  | 'InvalidImageName'
  | 'ErrImagePull'
  | 'ErrImageNeverPull'
  | 'ImageInspectError'
  | 'ArchiveInvalid'
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
