import type { FieldError } from '../manifest/types/field-error.ts';
import type { DesiredKey, DesiredKind } from './topics.ts';

/** A manifest that was read and found valid. */
export interface Admitted {
  /** The object as received (parsed, defaults not filled in): what is stored. */
  object: { metadata: { name: string; namespace?: string } };
  digests: {
    /** Of the defaulted spec: changes exactly when the pod must be replaced. One that begins with IMMUTABLE stays. */
    spec: string;
    /** Of the whole object. */
    manifest: string;
  };
  generation?: number;
  deletionTimestamp?: string;
  warnings: FieldError[];
}

/** Begins the spec digest of an object that says of itself that it is immutable: until deleted it keeps its data. */
export const IMMUTABLE = 'immutable:';

export type Admission = Admitted | { errors: FieldError[] };

/** Reads and validates the bytes of one manifest. Given by the agent (manifest/). Should not throw. */
export type Admit = (kind: DesiredKind, bytes: Uint8Array) => Admission;

/** What is in force for a key. */
export interface InForce {
  specDigest: string;
  manifestDigest: string;
  generation: number | undefined;
  deletionTimestamp: string | undefined;
}

export interface IntakeInput {
  key: DesiredKey;
  payload: Uint8Array;
  maxBytes: number;
  /** The broker's replay of what it retains, as against something published just now. */
  retained: boolean;
  stored: InForce | undefined;
  admit: Admit;
}

export type Decision =
  /** Store it. `changed` says how much it differs from what is in force. */
  | { action: 'put'; admitted: Admitted; changed: 'new' | 'spec' | 'metadata' | 'tombstone'; warnings: FieldError[] }
  /** It is what is in force already. */
  | { action: 'same' }
  /** Older than what is in force: kept out, and reported. */
  | { action: 'stale'; errors: FieldError[] }
  | { action: 'rejected'; errors: FieldError[] }
  | { action: 'deleted' }
  /** Nothing to do and nothing to tell. */
  | { action: 'ignored'; reason: string };

/**
 * Pure: what to do with a message on a desired topic. Absence never deletes: only a tombstone does, or an empty retained
 * payload seen live. A lower `metadata.generation` than the one in force is not accepted; an equal one with other content
 * is, because hand-edited exports keep theirs.
 */
export function decideIntake({ key, payload, maxBytes, retained, stored, admit }: IntakeInput): Decision {
  if (payload.length === 0) return decideEmpty(retained, stored);
  // By size first: what is too large is not even parsed.
  if (payload.length > maxBytes) {
    return rejected('', `the manifest has ${payload.length} bytes, at most ${maxBytes} are accepted`);
  }
  const admission = admit(key.kind, payload);
  if ('errors' in admission) return { action: 'rejected', errors: admission.errors };
  const misplaced = mismatch(key, admission.object.metadata);
  if (misplaced) return { action: 'rejected', errors: [misplaced] };
  return compare(admission, stored);
}

/** Clearing a retained topic is a delete; the tombstone's own clearing, and a replay, are not. */
function decideEmpty(retained: boolean, stored: InForce | undefined): Decision {
  if (retained) return { action: 'ignored', reason: 'empty payload that was not published live' };
  if (stored === undefined) return { action: 'ignored', reason: 'cleared, and nothing is stored' };
  return { action: 'deleted' };
}

/** The topic is the object's address; a manifest that says otherwise would run under a name nobody can find it by. */
function mismatch(key: DesiredKey, metadata: { name: string; namespace?: string }): FieldError | undefined {
  const { name, namespace = 'default' } = metadata;
  if (name !== key.name) {
    return { path: 'metadata.name', reason: `is "${name}", but the topic is that of "${key.name}"` };
  }
  if (namespace !== key.namespace) {
    return { path: 'metadata.namespace', reason: `is "${namespace}", but the topic is in "${key.namespace}"` };
  }
  return undefined;
}

function compare(admitted: Admitted, stored: InForce | undefined): Decision {
  const { digests, generation, deletionTimestamp, warnings } = admitted;
  if (stored === undefined) {
    return { action: 'put', admitted, changed: deletionTimestamp === undefined ? 'new' : 'tombstone', warnings };
  }
  const newer = generation !== undefined && generation > (stored.generation ?? Number.NEGATIVE_INFINITY);
  if (digests.manifest === stored.manifestDigest && !newer) return { action: 'same' };
  if (generation !== undefined && stored.generation !== undefined && generation < stored.generation) {
    const reason = `is ${generation}, lower than the ${stored.generation} in force; this manifest is not applied`;
    return { action: 'stale', errors: [{ path: 'metadata.generation', reason }] };
  }
  if (changesImmutable(admitted, stored)) {
    return rejected('data', 'Forbidden: field is immutable when `immutable` is set: delete the object first');
  }
  return { action: 'put', admitted, changed: changeOf(admitted, stored), warnings };
}

function changesImmutable({ digests, deletionTimestamp }: Admitted, stored: InForce): boolean {
  const replaces = deletionTimestamp === undefined && stored.deletionTimestamp === undefined;
  return replaces && stored.specDigest.startsWith(IMMUTABLE) && digests.spec !== stored.specDigest;
}

function changeOf(
  { digests, deletionTimestamp }: Admitted,
  stored: InForce,
): 'new' | 'spec' | 'metadata' | 'tombstone' {
  if (deletionTimestamp !== undefined) return stored.deletionTimestamp === undefined ? 'tombstone' : 'metadata';
  // Desired again after its tombstone: a new life even if the spec is the old one.
  if (stored.deletionTimestamp !== undefined) return 'new';
  return digests.spec === stored.specDigest ? 'metadata' : 'spec';
}

function rejected(path: string, reason: string): Decision {
  return { action: 'rejected', errors: [{ path, reason }] };
}
