/** What the image store keeps in the database (store/images.ts is one). Writes are durable on return. */

export interface StoredImage {
  id: string;
  /** The OCI image configuration, JSON text. */
  config: string;
  architecture: string;
  os: string;
  size: number;
  /** diff ids, lowest first. */
  layers: string[];
  /** Normalised. */
  refs: string[];
  loadedAt: string;
}

export interface ImageRepo {
  save(image: {
    id: string;
    config: string;
    architecture: string;
    os: string;
    layers: { diffId: string; size: number }[];
    refs: string[];
  }): void;
  get(id: string): StoredImage | undefined;
  byRef(ref: string): StoredImage | undefined;
  list(): StoredImage[];
  untag(ref: string): boolean;
  remove(id: string): boolean;
  layers(): { diffId: string; size: number }[];
  unlinkedLayers(): { diffId: string; size: number }[];
  removeLayer(diffId: string): boolean;
}
