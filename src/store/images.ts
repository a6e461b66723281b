import type { Connection, Statement } from './connection.ts';

/** An image whose layers are all unpacked. */
export interface ImageRow {
  /** `sha256:…` of the image config. */
  id: string;
  /** The OCI image config, JSON text. */
  config: string;
  architecture: string;
  os: string;
  /** Bytes unpacked, shared layers counted in full. */
  size: number;
  /** diff ids, lowest layer first, as in the config's `rootfs.diff_ids`. */
  layers: string[];
  /** Normalised references that point here, sorted. */
  refs: string[];
  loadedAt: string;
  lastUsed: string;
}

export interface LayerRow {
  diffId: string;
  /** Bytes unpacked. */
  size: number;
}

interface Row {
  id: string;
  config: string;
  architecture: string;
  os: string;
  size: number;
  loaded_at: string;
  last_used: string;
}

/** Images, their references and their layers. All methods throw StoreError; every write is one transaction. */
export class ImagesTable {
  #connection: Connection;
  #now: () => Date;
  #insert: Statement;
  #insertLayer: Statement;
  #linkLayer: Statement;
  #tag: Statement;
  #untag: Statement;
  #get: Statement<Row>;
  #byRef: Statement<Row>;
  #list: Statement<Row>;
  #layersOf: Statement<{ diff_id: string }>;
  #refsOf: Statement<{ ref: string }>;
  #remove: Statement;
  #touch: Statement;
  #unlinked: Statement<{ diff_id: string; size: number }>;
  #layers: Statement<{ diff_id: string; size: number }>;
  #removeLayer: Statement;

  constructor(connection: Connection, now: () => Date) {
    this.#connection = connection;
    this.#now = now;
    this.#insert = connection.prepare(`INSERT INTO images (id, config, architecture, os, size, loaded_at, last_used)
      VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET loaded_at = excluded.loaded_at`);
    this.#insertLayer = connection.prepare(`INSERT INTO layers (diff_id, size, created_at) VALUES (?, ?, ?)
      ON CONFLICT (diff_id) DO NOTHING`);
    this.#linkLayer = connection.prepare(`INSERT INTO image_layers (image_id, position, diff_id) VALUES (?, ?, ?)
      ON CONFLICT (image_id, position) DO NOTHING`);
    this.#tag = connection.prepare('INSERT OR REPLACE INTO image_refs (ref, image_id) VALUES (?, ?)');
    this.#untag = connection.prepare('DELETE FROM image_refs WHERE ref = ?');
    this.#get = connection.prepare('SELECT * FROM images WHERE id = ?');
    this.#byRef = connection.prepare(`SELECT images.* FROM images JOIN image_refs ON image_id = id WHERE ref = ?`);
    this.#list = connection.prepare('SELECT * FROM images ORDER BY loaded_at, id');
    this.#layersOf = connection.prepare('SELECT diff_id FROM image_layers WHERE image_id = ? ORDER BY position');
    this.#refsOf = connection.prepare('SELECT ref FROM image_refs WHERE image_id = ? ORDER BY ref');
    this.#remove = connection.prepare('DELETE FROM images WHERE id = ?');
    this.#touch = connection.prepare('UPDATE images SET last_used = ? WHERE id = ?');
    this.#unlinked = connection.prepare(`SELECT diff_id, size FROM layers
      WHERE NOT EXISTS (SELECT 1 FROM image_layers WHERE image_layers.diff_id = layers.diff_id) ORDER BY diff_id`);
    this.#layers = connection.prepare('SELECT diff_id, size FROM layers ORDER BY diff_id');
    this.#removeLayer = connection.prepare(`DELETE FROM layers WHERE diff_id = ?
      AND NOT EXISTS (SELECT 1 FROM image_layers WHERE image_layers.diff_id = layers.diff_id)`);
  }

  /** Adds an image with its layers and points `refs` at it, away from whatever they pointed at. */
  save(image: Pick<ImageRow, 'id' | 'config' | 'architecture' | 'os'> & { layers: LayerRow[]; refs: string[] }): void {
    const at = this.#now().toISOString();
    const size = image.layers.reduce((sum, layer) => sum + layer.size, 0);
    this.#connection.transaction(() => {
      this.#insert.run(image.id, image.config, image.architecture, image.os, size, at, at);
      image.layers.forEach((layer, position) => {
        this.#insertLayer.run(layer.diffId, layer.size, at);
        this.#linkLayer.run(image.id, position, layer.diffId);
      });
      for (const ref of image.refs) this.#tag.run(ref, image.id);
    });
  }

  get(id: string): ImageRow | undefined {
    return this.#complete(this.#get.get(id));
  }

  byRef(ref: string): ImageRow | undefined {
    return this.#complete(this.#byRef.get(ref));
  }

  /** Oldest first. */
  list(): ImageRow[] {
    return this.#list.all().map((row) => this.#complete(row) as ImageRow);
  }

  tag(ref: string, id: string): void {
    this.#tag.run(ref, id);
  }

  untag(ref: string): boolean {
    return this.#untag.run(ref).changes > 0;
  }

  /** Forgets an image and its references; its layers stay known until `removeLayer`. */
  remove(id: string): boolean {
    return this.#remove.run(id).changes > 0;
  }

  /** Notes that an image was used; a disk write, so once per pod start and no more. */
  touch(id: string): void {
    this.#touch.run(this.#now().toISOString(), id);
  }

  layers(): LayerRow[] {
    return this.#layers.all().map(layerOf);
  }

  /** Layers no image refers to any more: remove their directories, then `removeLayer`. */
  unlinkedLayers(): LayerRow[] {
    return this.#unlinked.all().map(layerOf);
  }

  /** Forgets a layer; false if an image refers to it (again) or it is not known. */
  removeLayer(diffId: string): boolean {
    return this.#removeLayer.run(diffId).changes > 0;
  }

  #complete(row: Row | undefined): ImageRow | undefined {
    if (row === undefined) return undefined;
    const { id, config, architecture, os, size } = row;
    const layers = this.#layersOf.all(id).map((layer) => layer.diff_id);
    const refs = this.#refsOf.all(id).map(({ ref }) => ref);
    return { id, config, architecture, os, size, layers, refs, loadedAt: row.loaded_at, lastUsed: row.last_used };
  }
}

function layerOf({ diff_id, size }: { diff_id: string; size: number }): LayerRow {
  return { diffId: diff_id, size };
}
