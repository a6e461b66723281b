/** The gate every manifest passes: from any JSON value to a Pod with every default filled in, or the reasons why not. */
import type { FieldError } from './types/field-error.ts';
import type { ObjectMeta } from './types/metadata.ts';
import type { Pod } from './types/pod.ts';
import { checkFields } from './validate/field-check.ts';
import { Issues } from './validate/issues.ts';
import { readMetadata } from './validate/metadata.ts';
import { readPodSpec } from './validate/pod-spec.ts';
import { isObject, type RawObject } from './validate/read.ts';

export type Admission = { pod: Pod; warnings: FieldError[] } | { errors: FieldError[] };

export type ObjectKind = 'Pod' | 'ConfigMap' | 'Secret';

export interface AdmitOptions {
  /** What an absent `metadata.namespace` means: `default`, or the namespace of the topic. */
  namespace?: string;
}

/** Validates and defaults a Pod. All errors are found, not only the first (64 at most). Never throws. */
export function admitPod(raw: unknown, { namespace }: AdmitOptions = {}): Admission {
  const issues = new Issues();
  if (!isKind(issues, raw, 'Pod')) return { errors: issues.errors };
  checkFields(issues, 'Pod', raw, '');
  const metadata = readMetadata(issues, raw.metadata, namespace);
  const spec = readPodSpec(issues, raw.spec);
  if (issues.errors.length > 0 || metadata === undefined || spec === undefined) return { errors: issues.errors };
  return { pod: { apiVersion: 'v1', kind: 'Pod', metadata, spec }, warnings: issues.warnings };
}

/**
 * Reads a request for deletion: an object whose metadata has a deletionTimestamp. Nothing else is looked at, so that
 * an object can be deleted by a manifest that would not be accepted, or has no spec. Undefined when `raw` is no such request.
 */
export function readTombstone(
  raw: unknown,
  { namespace, kind = 'Pod' }: AdmitOptions & { kind?: ObjectKind } = {},
): { metadata: ObjectMeta & { deletionTimestamp: string } } | { errors: FieldError[] } | undefined {
  const given = isObject(raw) && isObject(raw.metadata) ? raw.metadata.deletionTimestamp : undefined;
  if (given === undefined || given === null) return undefined;
  const issues = new Issues();
  if (!isKind(issues, raw, kind)) return { errors: issues.errors };
  const metadata = readMetadata(issues, raw.metadata, namespace);
  if (issues.errors.length > 0 || metadata?.deletionTimestamp === undefined) return { errors: issues.errors };
  return { metadata: { ...metadata, deletionTimestamp: metadata.deletionTimestamp } };
}

/** Errors when an object is not the one its topic names. */
export function identityErrors(metadata: ObjectMeta, topic: { namespace: string; name: string }): FieldError[] {
  return (['namespace', 'name'] as const)
    .filter((part) => metadata[part] !== topic[part])
    .map((part) => ({
      path: `metadata.${part}`,
      reason: `Invalid value: "${metadata[part]}": must be "${topic[part]}", as in the topic it was published to`,
    }));
}

/** Whether `raw` is an object that says to be of this kind, of version v1. */
export function isKind(issues: Issues, raw: unknown, kind: ObjectKind): raw is RawObject {
  if (!isObject(raw)) issues.error('', `Invalid value: must be a ${kind} object, with apiVersion, kind and metadata`);
  else {
    checkConstant(issues, 'apiVersion', raw.apiVersion, 'v1');
    checkConstant(issues, 'kind', raw.kind, kind);
  }
  return issues.errors.length === 0;
}

function checkConstant(issues: Issues, path: string, value: unknown, expected: string): void {
  if (value === undefined || value === null || value === '') issues.required(path, `must be "${expected}"`);
  else if (value !== expected) issues.unsupported(path, value, [expected]);
}
