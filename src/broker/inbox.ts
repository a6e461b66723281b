import { createHash } from 'node:crypto';
import type { FieldError } from '../manifest/types/field-error.ts';
import { type Admission, type Admit, type Decision, decideIntake, type InForce } from './intake.ts';
import type { BrokerLog, IncomingMessage, Route } from './ports.ts';
import type { DesiredKey, DesiredKind, Topics } from './topics.ts';

/** Where desired state is kept (store.objects). Every write is durable on return, or throws with `retry: true`. */
export interface DesiredStore {
  get(key: DesiredKey): InForce | undefined;
  put(object: DesiredKey & InForce & { manifest: string; topic: string }): void;
  remove(key: DesiredKey): boolean;
  /** Remembers a refusal; false if that payload was refused before. */
  reject(key: DesiredKey, payloadDigest: string, errors: FieldError[]): boolean;
  /** Forgets a refusal; false if there was none. */
  clearRejection(key: DesiredKey): boolean;
}

/** What became of one message. */
export interface IntakeResult {
  action: Decision['action'];
  topic: string;
  /** Missing when the topic itself is not one of the contract. */
  key?: DesiredKey;
  changed?: 'new' | 'spec' | 'metadata' | 'tombstone';
  /** Why it was refused; the last good state stays in force. */
  errors: FieldError[];
  warnings: FieldError[];
  /** Something is different from before: false for what the broker only repeats. */
  news: boolean;
}

export interface InboxOptions {
  topics: Topics;
  objects: DesiredStore;
  admit: Admit;
  onResult: (result: IntakeResult) => void;
  log: BrokerLog;
  /** Digest by which a refused payload is recognised, where it is not to be a plain SHA-256. */
  payloadDigest?: (kind: DesiredKind, payload: Uint8Array) => string | undefined;
  /** Largest payload taken, bytes. */
  maxBytes?: Partial<Record<DesiredKind, number>>;
}

/** A Pod of 256 KiB is beyond reason; ConfigMaps and Secrets may have 1 MiB in Kubernetes, and the frame around it. */
const MAX_BYTES: Record<DesiredKind, number> = { pods: 262_144, configmaps: 1_081_344, secrets: 1_081_344 };

/** What a status may carry of a hostile manifest's errors. */
const MAX_ERRORS = 50;
const MAX_REASON = 500;

/** Takes desired state from the broker into the store: when `handle` returns, it is on disk and may be acknowledged. */
export class Inbox implements Route {
  readonly filters: readonly string[];
  readonly qos = 1;
  #options: InboxOptions;
  #maxBytes: Record<DesiredKind, number>;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#maxBytes = { ...MAX_BYTES, ...options.maxBytes };
    this.filters = options.topics.desiredFilters;
  }

  /** Decides, stores, reports. Throws only what the store throws (and then nothing was changed). */
  handle({ topic, payload, retained }: Pick<IncomingMessage, 'topic' | 'payload' | 'retained'>): void {
    const parsed = this.#options.topics.parse(topic);
    if (parsed.type === 'malformed') {
      const errors = [{ path: '', reason: `topic ${topic}: ${parsed.reason}` }];
      this.#report({ action: 'rejected', topic, errors, warnings: [], news: !retained });
    }
    if (parsed.type !== 'desired') return;
    const { kind, namespace, name, source } = parsed;
    const key: DesiredKey = { kind, namespace, name, source };
    const decision = decideIntake({
      key,
      payload,
      retained,
      maxBytes: this.#maxBytes[kind],
      stored: this.#options.objects.get(key),
      admit: (wanted, bytes) => this.#admit(wanted, bytes),
    });
    const errors = 'errors' in decision ? bounded(decision.errors) : [];
    const news = this.#store(key, topic, payload, decision, errors);
    const warnings = decision.action === 'put' ? bounded(decision.warnings) : [];
    const changed = decision.action === 'put' ? { changed: decision.changed } : {};
    this.#report({ action: decision.action, topic, key, errors, warnings, news, ...changed });
  }

  /** Applies a decision to the store; true if anything is different now. */
  #store(key: DesiredKey, topic: string, payload: Uint8Array, decision: Decision, errors: FieldError[]): boolean {
    const { objects } = this.#options;
    switch (decision.action) {
      case 'put': {
        const { object, digests, generation, deletionTimestamp } = decision.admitted;
        objects.put({
          ...key,
          topic,
          manifest: JSON.stringify(object),
          specDigest: digests.spec,
          manifestDigest: digests.manifest,
          generation,
          deletionTimestamp,
        });
        return true;
      }
      case 'same':
        return objects.clearRejection(key);
      case 'rejected':
      case 'stale':
        return objects.reject(key, this.#options.payloadDigest?.(key.kind, payload) ?? sha256(payload), errors);
      case 'deleted':
        return objects.remove(key);
      case 'ignored':
        // A refused manifest that was never in force leaves nothing but its refusal: clearing the topic clears that.
        return payload.length === 0 && objects.clearRejection(key);
    }
  }

  /** A parser that gives up on hostile input must not look like a store that failed. */
  #admit(kind: DesiredKind, bytes: Uint8Array): Admission {
    try {
      return this.#options.admit(kind, bytes);
    } catch (error) {
      this.#options.log.error({ err: error, kind }, 'a manifest made the parser fail');
      const reason = error instanceof Error ? error.message : String(error);
      return { errors: [{ path: '', reason: `cannot be read: ${reason}` }] };
    }
  }

  #report(result: IntakeResult): void {
    try {
      this.#options.onResult(result);
    } catch (error) {
      // What was decided is on disk and stays true whatever the listener makes of it.
      this.#options.log.error({ err: error, topic: result.topic }, 'internal error after taking in a manifest');
    }
  }
}

const sha256 = (payload: Uint8Array) => createHash('sha256').update(payload).digest('hex');

function bounded(errors: FieldError[]): FieldError[] {
  const kept = errors.slice(0, MAX_ERRORS).map(({ path, reason }) => ({
    path: path.slice(0, MAX_REASON),
    reason: reason.slice(0, MAX_REASON),
  }));
  const left = errors.length - kept.length;
  return left > 0 ? [...kept, { path: '', reason: `and ${left} more` }] : kept;
}
