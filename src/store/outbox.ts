import { createHash } from 'node:crypto';
import type { Connection, Statement } from './connection.ts';

/** A message waiting for the broker. `body` of zero bytes clears a retained topic. */
export interface OutboxMessage {
  kind: 'retained' | 'event';
  topic: string;
  body: Uint8Array;
  /** Of the body; an acknowledgement counts only while this is still the newest one. */
  digest: string;
  /** Place in its queue; for events the number a receiver sees. */
  seq: number;
}

interface RetainedRow {
  topic: string;
  seq: number;
  body: Uint8Array;
  digest: string;
  acked: number;
}

interface EventRow {
  seq: number;
  topic: string;
  body: Uint8Array;
}

/**
 * What the broker should still be told. Retained topics keep only their newest body, and remember it after the broker
 * has it: an unchanged status is never sent, or written, again. Events are a bounded ring, oldest dropped first.
 */
export class OutboxTable {
  #connection: Connection;
  #eventLimit: number;
  #listener: () => void = () => {};
  #retained: Statement<RetainedRow>;
  #putRetained: Statement;
  #forget: Statement;
  #pendingRetained: Statement<RetainedRow>;
  #ackRetained: Statement;
  #ackCleared: Statement;
  #unackAll: Statement;
  #unackOne: Statement;
  #addEvent: Statement;
  #lastEvent: Statement<{ seq: number }>;
  #trimEvents: Statement;
  #pendingEvents: Statement<EventRow>;
  #removeEvent: Statement;
  #counts: Statement<{ retained: number; events: number }>;

  constructor(connection: Connection, { eventLimit }: { eventLimit: number }) {
    this.#connection = connection;
    this.#eventLimit = eventLimit;
    this.#retained = connection.prepare('SELECT * FROM outbox_retained WHERE topic = ?');
    // A pending topic keeps its place in the queue, so that one that changes all the time still gets its turn.
    this.#putRetained = connection.prepare(`INSERT INTO outbox_retained (topic, seq, body, digest, acked)
      VALUES (?, (SELECT COALESCE(MAX(seq), 0) + 1 FROM outbox_retained), ?, ?, 0)
      ON CONFLICT (topic) DO UPDATE SET body = excluded.body, digest = excluded.digest, acked = 0,
      seq = CASE acked WHEN 1 THEN excluded.seq ELSE seq END`);
    this.#forget = connection.prepare('DELETE FROM outbox_retained WHERE topic = ?');
    this.#pendingRetained = connection.prepare('SELECT * FROM outbox_retained WHERE acked = 0 ORDER BY seq LIMIT ?');
    this.#ackRetained = connection.prepare('UPDATE outbox_retained SET acked = 1 WHERE topic = ? AND digest = ?');
    this.#ackCleared = connection.prepare('DELETE FROM outbox_retained WHERE topic = ? AND digest = ?');
    this.#unackAll = connection.prepare('UPDATE outbox_retained SET acked = 0 WHERE acked = 1');
    this.#unackOne = connection.prepare('UPDATE outbox_retained SET acked = 0 WHERE acked = 1 AND topic = ?');
    this.#addEvent = connection.prepare('INSERT INTO outbox_events (seq, topic, body) VALUES (?, ?, ?)');
    this.#lastEvent = connection.prepare(`SELECT seq FROM sqlite_sequence WHERE name = 'outbox_events'`);
    this.#trimEvents = connection.prepare('DELETE FROM outbox_events WHERE seq <= ?');
    this.#pendingEvents = connection.prepare('SELECT * FROM outbox_events ORDER BY seq LIMIT ?');
    this.#removeEvent = connection.prepare('DELETE FROM outbox_events WHERE seq = ?');
    this.#counts = connection.prepare(`SELECT (SELECT COUNT(*) FROM outbox_retained WHERE acked = 0) AS retained,
      (SELECT COUNT(*) FROM outbox_events) AS events`);
  }

  /** One listener, called after something was added; it must not throw. */
  onPending(listener: () => void): void {
    this.#listener = listener;
  }

  /**
   * Makes `body` what the broker should hold under `topic` (zero bytes: nothing). False, with no write and no publish,
   * when it was told so already or is about to be. Throws StoreError.
   */
  putRetained(topic: string, body: Uint8Array | string): boolean {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const digest = digestOf(bytes);
    if (this.#retained.get(topic)?.digest === digest) return false;
    this.#putRetained.run(topic, bytes, digest);
    this.#listener();
    return true;
  }

  /** Takes a retained topic out of the outbox without telling the broker anything. */
  forget(topic: string): boolean {
    return this.#forget.run(topic).changes > 0;
  }

  /** The newest body of a retained topic, acknowledged or not. */
  retained(topic: string): { body: Uint8Array; acked: boolean } | undefined {
    const row = this.#retained.get(topic);
    return row && { body: row.body, acked: row.acked === 1 };
  }

  /**
   * Appends an event. `build` gets its number, which never repeats in this database, and returns the payload; the number
   * belongs in it, so that a receiver sees a gap where the ring dropped something. Throws StoreError.
   */
  addEvent(topic: string, build: (seq: number) => Uint8Array | string): number {
    const seq = this.#connection.transaction(() => {
      const next = (this.#lastEvent.get()?.seq ?? 0) + 1;
      const body = build(next);
      this.#addEvent.run(next, topic, typeof body === 'string' ? Buffer.from(body) : body);
      this.#trimEvents.run(next - this.#eventLimit);
      return next;
    });
    this.#listener();
    return seq;
  }

  /** Up to `limit` messages to send: what is true now (retained) first, then what happened (events), each in order. */
  pending(limit: number): OutboxMessage[] {
    const retained = this.#pendingRetained
      .all(limit)
      .map(({ topic, body, digest, seq }): OutboxMessage => ({ kind: 'retained', topic, body, digest, seq }));
    if (retained.length >= limit) return retained;
    const events = this.#pendingEvents
      .all(limit - retained.length)
      .map(({ topic, body, seq }): OutboxMessage => ({ kind: 'event', topic, body, digest: '', seq }));
    return [...retained, ...events];
  }

  /** The broker has these. A retained topic that changed since it was sent stays pending. One transaction. */
  acknowledge(messages: readonly OutboxMessage[]): void {
    if (messages.length === 0) return;
    this.#connection.transaction(() => {
      for (const { kind, topic, body, digest, seq } of messages) {
        if (kind === 'event') this.#removeEvent.run(seq);
        else (body.length === 0 ? this.#ackCleared : this.#ackRetained).run(topic, digest);
      }
    });
  }

  /** Sends retained topics again, all or one: the broker lost them, or the database is an older copy. Returns how many. */
  republish(topic?: string): number {
    const { changes } = topic === undefined ? this.#unackAll.run() : this.#unackOne.run(topic);
    if (changes > 0) this.#listener();
    return changes;
  }

  /** How much waits for the broker. */
  counts(): { retained: number; events: number } {
    return this.#counts.get() ?? { retained: 0, events: 0 };
  }
}

function digestOf(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('base64');
}
