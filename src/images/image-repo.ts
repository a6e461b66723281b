/** What the image store keeps in the database (store/images.ts is one). Writes are durable on return. */

export interface NewImage {
  /** `sha256:…` of the configuration. */
  id: string;
  /** The OCI image configuration, JSON text. */
  config: string;
  architecture: string;
  os: string;
  /** Lowest first; `size` in bytes unpacked. */
  layers: { diffId: string; size: number }[];
  /** Normalised; each is taken away from whatever image it named. */
  refs: string[];
}

export interface StoredImage extends Omit<NewImage, 'layers'> {
  size: number;
  /** diff ids, lowest first. */
  layers: string[];
  loadedAt: string;
}

export interface ImageRepo {
  save(image: NewImage): void;
  get(id: string): StoredImage | undefined;
  byRef(ref: string): StoredImage | undefined;
  list(): StoredImage[];
  untag(ref: string): boolean;
  remove(id: string): boolean;
  layers(): { diffId: string; size: number }[];
  unlinkedLayers(): { diffId: string; size: number }[];
  removeLayer(diffId: string): boolean;
}
