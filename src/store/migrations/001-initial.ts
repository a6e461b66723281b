import type { Migration } from '../migrate.ts';

/** The first schema. STRICT everywhere: a wrong type is an error here and not a surprise later. */
export const initial: Migration = {
  version: 1,
  name: 'initial',
  sql: `
    CREATE TABLE objects (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,   -- grows with every change: a cheap "has anything changed since"
      kind TEXT NOT NULL,
      namespace TEXT NOT NULL,
      name TEXT NOT NULL,
      source TEXT NOT NULL,                    -- 'device' or 'group:<g>'; 'device' sorts first, which effective() uses
      manifest TEXT NOT NULL,
      spec_digest TEXT NOT NULL,
      manifest_digest TEXT NOT NULL,
      generation INTEGER,
      deletion_timestamp TEXT,
      topic TEXT NOT NULL,
      received_at TEXT NOT NULL,
      UNIQUE (kind, namespace, name, source)
    ) STRICT;

    CREATE TABLE rejections (                  -- the newest manifest refused per key, while the last good one stays
      kind TEXT NOT NULL,
      namespace TEXT NOT NULL,
      name TEXT NOT NULL,
      source TEXT NOT NULL,
      payload_digest TEXT NOT NULL,
      errors TEXT NOT NULL,
      received_at TEXT NOT NULL,
      PRIMARY KEY (kind, namespace, name, source)
    ) STRICT;

    CREATE TABLE pods (
      uid TEXT PRIMARY KEY,
      namespace TEXT NOT NULL,
      name TEXT NOT NULL,
      record TEXT NOT NULL,
      updated_at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX pods_by_name ON pods (namespace, name);

    CREATE TABLE outbox_retained (
      topic TEXT PRIMARY KEY,
      seq INTEGER NOT NULL,                    -- place in the queue; kept while pending, so a busy topic is not starved
      body BLOB NOT NULL,
      digest TEXT NOT NULL,
      acked INTEGER NOT NULL                   -- 1: the broker has exactly this body
    ) STRICT;
    CREATE INDEX outbox_retained_pending ON outbox_retained (seq) WHERE acked = 0;

    CREATE TABLE outbox_events (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,   -- never reused: a receiver sees every gap
      topic TEXT NOT NULL,
      body BLOB NOT NULL
    ) STRICT;

    CREATE TABLE images (
      id TEXT PRIMARY KEY,
      config TEXT NOT NULL,
      architecture TEXT NOT NULL,
      os TEXT NOT NULL,
      size INTEGER NOT NULL,
      loaded_at TEXT NOT NULL,
      last_used TEXT NOT NULL
    ) STRICT;
    CREATE TABLE image_refs (
      ref TEXT PRIMARY KEY,
      image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE
    ) STRICT;
    CREATE INDEX image_refs_by_image ON image_refs (image_id);
    CREATE TABLE layers (
      diff_id TEXT PRIMARY KEY,
      size INTEGER NOT NULL,
      created_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE image_layers (
      image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
      position INTEGER NOT NULL,               -- 0 is the lowest layer, as in rootfs.diff_ids
      diff_id TEXT NOT NULL REFERENCES layers (diff_id),
      PRIMARY KEY (image_id, position)
    ) STRICT;
    CREATE INDEX image_layers_by_layer ON image_layers (diff_id);

    CREATE TABLE leases (
      kind TEXT NOT NULL,
      key TEXT NOT NULL,
      owner TEXT NOT NULL,
      PRIMARY KEY (kind, key)
    ) STRICT;
    CREATE INDEX leases_by_owner ON leases (owner);

    CREATE TABLE meta (
      key TEXT PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT;
  `,
};
