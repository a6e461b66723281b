import type { Connection, Statement } from './connection.ts';
import type { Seal } from './seal.ts';

/** One desired object as one source wants it. `source` is `device` (the device's own topic) or `group:<g>`. */
export interface ObjectKey {
  /** Plural, as in the topic: `pods`, `configmaps`, `secrets`. */
  kind: string;
  namespace: string;
  name: string;
  source: string;
}

export interface StoredObject extends ObjectKey {
  /** Grows with every change of any object. */
  seq: number;
  /** The object as received, as JSON text. */
  manifest: string;
  /** Digest of the defaulted spec: changes exactly when the pod has to be replaced. */
  specDigest: string;
  /** Digest of the whole object. */
  manifestDigest: string;
  generation: number | undefined;
  /** Set: this is a tombstone. */
  deletionTimestamp: string | undefined;
  topic: string;
  receivedAt: string;
}

/** A stored object without its manifest: enough to see what there is and what changed, at 10,000 objects too. */
export type ObjectSummary = Omit<StoredObject, 'manifest'>;

/** The newest manifest that was refused for a key, while the last good one (if any) stays in force. */
export interface Rejection extends ObjectKey {
  payloadDigest: string;
  errors: { path: string; reason: string }[];
  receivedAt: string;
}

interface ObjectRow {
  seq: number;
  kind: string;
  namespace: string;
  name: string;
  source: string;
  manifest: string;
  spec_digest: string;
  manifest_digest: string;
  generation: number | null;
  deletion_timestamp: string | null;
  topic: string;
  received_at: string;
}

interface RejectionRow {
  kind: string;
  namespace: string;
  name: string;
  source: string;
  payload_digest: string;
  errors: string;
  received_at: string;
}

const SUMMARY = `seq, kind, namespace, name, source, spec_digest, manifest_digest, generation, deletion_timestamp,
  topic, received_at`;
/** Kinds whose manifests lie encrypted. */
const SEALED: readonly string[] = ['secrets'];

const KEY = 'kind = ? AND namespace = ? AND name = ? AND source = ?';

/** Desired state: every write is one transaction, on disk when the call returns. All methods throw StoreError. */
export class ObjectsTable {
  #connection: Connection;
  #now: () => Date;
  #seal: Seal;
  #insert: Statement;
  #delete: Statement;
  #one: Statement<ObjectRow>;
  #sources: Statement<ObjectRow>;
  #effective: Statement<ObjectRow>;
  #ofKind: Statement<ObjectRow>;
  #summaries: Statement<Omit<ObjectRow, 'manifest'>>;
  #effectiveOne: Statement<ObjectRow>;
  #groups: Statement<{ source: string }>;
  #deleteSource: Statement;
  #reject: Statement;
  #unreject: Statement;
  #unrejectSource: Statement;
  #rejection: Statement<RejectionRow>;
  #rejections: Statement<RejectionRow>;
  #newestSeq: Statement<{ seq: number }>;

  constructor(connection: Connection, now: () => Date, seal: Seal) {
    this.#connection = connection;
    this.#now = now;
    this.#seal = seal;
    this.#insert = connection.prepare(`INSERT OR REPLACE INTO objects (kind, namespace, name, source, manifest,
      spec_digest, manifest_digest, generation, deletion_timestamp, topic, received_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#delete = connection.prepare(`DELETE FROM objects WHERE ${KEY}`);
    this.#one = connection.prepare(`SELECT * FROM objects WHERE ${KEY}`);
    this.#sources = connection.prepare(`SELECT * FROM objects WHERE kind = ? AND namespace = ? AND name = ?
      ORDER BY source`);
    // With MIN() SQLite takes the other columns from the row that has the minimum: 'device' sorts before 'group:…'.
    const winners = `FROM (SELECT *, MIN(source) FROM objects WHERE kind = ? GROUP BY namespace, name)`;
    this.#ofKind = connection.prepare('SELECT * FROM objects WHERE kind = ?');
    this.#effective = connection.prepare(`SELECT * ${winners}`);
    this.#summaries = connection.prepare(`SELECT ${SUMMARY} ${winners}`);
    this.#effectiveOne = connection.prepare(`SELECT * FROM objects WHERE kind = ? AND namespace = ? AND name = ?
      ORDER BY source LIMIT 1`);
    this.#groups = connection.prepare(`SELECT source FROM objects UNION SELECT source FROM rejections`);
    this.#deleteSource = connection.prepare('DELETE FROM objects WHERE source = ?');
    this.#reject = connection.prepare(`INSERT OR REPLACE INTO rejections (kind, namespace, name, source, payload_digest,
      errors, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)`);
    this.#unreject = connection.prepare(`DELETE FROM rejections WHERE ${KEY}`);
    this.#unrejectSource = connection.prepare('DELETE FROM rejections WHERE source = ?');
    this.#rejection = connection.prepare(`SELECT * FROM rejections WHERE ${KEY}`);
    this.#rejections = connection.prepare('SELECT * FROM rejections WHERE kind = ? ORDER BY namespace, name, source');
    this.#newestSeq = connection.prepare(`SELECT seq FROM sqlite_sequence WHERE name = 'objects'`);
  }

  /** Stores an accepted object in place of the one before and forgets a rejection of that key. */
  put(object: Omit<StoredObject, 'seq' | 'receivedAt'>): void {
    const key = keyOf(object);
    this.#connection.transaction(() => {
      this.#insert.run(
        ...key,
        SEALED.includes(object.kind) ? this.#seal.seal(object.manifest, placeOf(object)) : object.manifest,
        object.specDigest,
        object.manifestDigest,
        object.generation ?? null,
        object.deletionTimestamp ?? null,
        object.topic,
        this.#now().toISOString(),
      );
      this.#unreject.run(...key);
    });
  }

  /** Forgets an object and its rejection. True if there was one. */
  remove(key: ObjectKey): boolean {
    return this.#connection.transaction(() => {
      const rejected = this.#unreject.run(...keyOf(key)).changes;
      return this.#delete.run(...keyOf(key)).changes + rejected > 0;
    });
  }

  get(key: ObjectKey): StoredObject | undefined {
    return this.#objectOf(this.#one.get(...keyOf(key)));
  }

  /** The object that is in force: the device's own, else that of the first of its groups by name. */
  effectiveOne(kind: string, namespace: string, name: string): StoredObject | undefined {
    return this.#objectOf(this.#effectiveOne.get(kind, namespace, name));
  }

  /** Every object of a kind that is in force, by namespace and name. Reads all manifests: see `summaries`. */
  effective(kind: string): StoredObject[] {
    return this.#effective.all(kind).flatMap((row) => this.#objectOf(row) ?? []);
  }

  /** `effective` without the manifests. */
  summaries(kind: string): ObjectSummary[] {
    return this.#summaries.all(kind).map(summaryOf);
  }

  /** What every source says about one object, in order of precedence. */
  sources(kind: string, namespace: string, name: string): StoredObject[] {
    return this.#sources.all(kind, namespace, name).flatMap((row) => this.#objectOf(row) ?? []);
  }

  /**
   * Forgets sealed objects that cannot be opened (their key was lost or replaced): to be called at start. What the broker
   * retains is taken in again then, which a row of the same digest would prevent. Returns what was forgotten.
   */
  dropUnreadable(): ObjectKey[] {
    const lost = SEALED.flatMap((kind) => this.#ofKind.all(kind)).filter((row) => this.#objectOf(row) === undefined);
    if (lost.length > 0) this.#connection.transaction(() => lost.map((row) => this.#delete.run(...keyOf(row))));
    return lost.map(({ kind, namespace, name, source }) => ({ kind, namespace, name, source }));
  }

  /** Number of the newest change; equal means nothing was stored since (removals do not count). */
  newestSeq(): number {
    return this.#newestSeq.get()?.seq ?? 0;
  }

  /**
   * Forgets what groups wanted that the device is no longer in: to be called at start with the configured groups.
   * Returns the groups forgotten.
   */
  keepGroups(groups: readonly string[]): string[] {
    const known = this.#groups.all().map((row) => row.source);
    const left = known.filter((source) => source !== 'device' && !groups.includes(source.slice('group:'.length)));
    if (left.length === 0) return [];
    this.#connection.transaction(() => {
      for (const source of left) {
        this.#deleteSource.run(source);
        this.#unrejectSource.run(source);
      }
    });
    return left.map((source) => source.slice('group:'.length));
  }

  /** Notes why a manifest was refused; the same payload again writes nothing. True if it is news. */
  reject(key: ObjectKey, payloadDigest: string, errors: Rejection['errors']): boolean {
    if (this.#rejection.get(...keyOf(key))?.payload_digest === payloadDigest) return false;
    this.#reject.run(...keyOf(key), payloadDigest, JSON.stringify(errors), this.#now().toISOString());
    return true;
  }

  /** Forgets a rejection: the manifest in force was published again. True if there was one. */
  clearRejection(key: ObjectKey): boolean {
    if (this.#rejection.get(...keyOf(key)) === undefined) return false;
    return this.#unreject.run(...keyOf(key)).changes > 0;
  }

  #objectOf(row: ObjectRow | undefined): StoredObject | undefined {
    if (row === undefined) return undefined;
    const manifest = SEALED.includes(row.kind) ? this.#seal.open(row.manifest, placeOf(row)) : row.manifest;
    return manifest === undefined ? undefined : { ...summaryOf(row), manifest };
  }

  rejections(kind: string): Rejection[] {
    return this.#rejections.all(kind).map((row) => ({
      kind: row.kind,
      namespace: row.namespace,
      name: row.name,
      source: row.source,
      payloadDigest: row.payload_digest,
      errors: JSON.parse(row.errors) as Rejection['errors'],
      receivedAt: row.received_at,
    }));
  }
}

function keyOf({ kind, namespace, name, source }: ObjectKey): [string, string, string, string] {
  return [kind, namespace, name, source];
}

function summaryOf(row: Omit<ObjectRow, 'manifest'>): ObjectSummary {
  return {
    seq: row.seq,
    kind: row.kind,
    namespace: row.namespace,
    name: row.name,
    source: row.source,
    specDigest: row.spec_digest,
    manifestDigest: row.manifest_digest,
    generation: row.generation ?? undefined,
    deletionTimestamp: row.deletion_timestamp ?? undefined,
    topic: row.topic,
    receivedAt: row.received_at,
  };
}

/** What a sealed manifest is bound to. */
function placeOf(key: ObjectKey): string {
  return keyOf(key).join('\0');
}
