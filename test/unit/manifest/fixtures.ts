/** Pods for the tests of this folder. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { admitPod } from '../../../src/manifest/admit.ts';
import { parseManifestSync } from '../../../src/manifest/parse.ts';
import type { FieldError } from '../../../src/manifest/types/field-error.ts';
import type { Pod } from '../../../src/manifest/types/pod.ts';

export type Json = Record<string, unknown>;

/** A small valid Pod, `spec` and `container` added to its spec and its only container. */
export function rawPod(spec: Json = {}, container: Json = {}): Json {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c', image: 'i', ...container }], ...spec },
  };
}

export function admitted(raw: unknown): Pod {
  const result = admitPod(raw);
  assert.ok('pod' in result, JSON.stringify(result));
  return result.pod;
}

export function errorsOf(raw: unknown): FieldError[] {
  const result = admitPod(raw);
  return 'errors' in result ? result.errors : [];
}

/** The first object of a fixture file. */
export function fixture(name: string): Json {
  const parsed = parseManifestSync(readFileSync(new URL(`../../fixtures/manifests/${name}`, import.meta.url)));
  assert.ok('objects' in parsed, JSON.stringify(parsed));
  return parsed.objects[0] as Json;
}
