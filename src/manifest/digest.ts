/** Digests by which manifests are compared: equal meaning, equal digest, whatever the order of keys. */
import { createHash } from 'node:crypto';
import type { Pod } from './types/pod.ts';

/** JSON with sorted keys and no white space; members that are undefined are left out, as JSON.stringify does. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member) ? sortKeys(member) : member,
  );
}

/** Digest (hex SHA-256) of the defaulted spec: a pod is replaced when this changes. */
export function specDigest(pod: Pod): string {
  return sha256(canonicalJson(pod.spec));
}

/** Digest (hex SHA-256) of everything the operator decides: spec, labels, annotations, deletion. */
export function manifestDigest(pod: Pod): string {
  const { labels = {}, annotations = {}, deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
  return sha256(canonicalJson([pod.spec, labels, annotations, deletionTimestamp, deletionGracePeriodSeconds]));
}

function sortKeys(object: object): object {
  const entries = Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
  // No prototype: a key named `__proto__` must be data like any other.
  const sorted: Record<string, unknown> = Object.create(null);
  for (const [key, value] of entries) sorted[key] = value;
  return sorted;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
