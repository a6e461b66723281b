/** Manifests as given on the command line: a file, or `-` for standard input; validated before anything is sent. */
import type { DesiredKind } from '../client/topics.ts';
import { admitConfigMap, admitSecret } from '../manifest/admit-data.ts';
import { admitWorkload } from '../manifest/kinds.ts';
import { LIMITS } from '../manifest/limits.ts';
import { parseManifestSync } from '../manifest/parse.ts';
import type { FieldError } from '../manifest/types/field-error.ts';
import type { ObjectMeta } from '../manifest/types/metadata.ts';
import { CommandError } from './failure.ts';
import { readNamed } from './readable.ts';

/** A valid object: as written, which is what is published, and where it belongs. */
export interface Manifest {
  kind: DesiredKind;
  /** `pod/web`, for people. */
  label: string;
  raw: Record<string, unknown>;
  metadata: ObjectMeta;
  warnings: FieldError[];
}

/** What people call one of a kind. */
export const SINGULAR = { pods: 'pod', configmaps: 'configmap', secrets: 'secret' } as const satisfies Record<
  DesiredKind,
  string
>;

/** @throws CommandError listing every error with its path */
export function readManifests(file: string): Manifest[] {
  const { manifests, errors } = checkManifests(file);
  if (errors.length > 0) throw new CommandError(errors.join('\nerror: '));
  return manifests;
}

/** Valid manifests and printable errors of `file`. @throws CommandError when it cannot be read */
export function checkManifests(file: string): { manifests: Manifest[]; errors: string[] } {
  const label = file === '-' ? 'standard input' : file;
  const parsed = parseManifestSync(readNamed(file === '-' ? 0 : file, label), { maxBytes: LIMITS.hardManifestBytes });
  if ('errors' in parsed) return { manifests: [], errors: parsed.errors.map((error) => `${label}: ${line(error)}`) };
  if (parsed.objects.length === 0) return { manifests: [], errors: [`${label}: no objects in it`] };
  const manifests: Manifest[] = [];
  const errors: string[] = [];
  for (const raw of parsed.objects) {
    const result = admit(raw);
    if ('errors' in result) errors.push(...result.errors.map((error) => `${label}: ${nameOf(raw)}: ${line(error)}`));
    else
      manifests.push({
        ...result,
        raw: raw as Record<string, unknown>,
        label: `${SINGULAR[result.kind]}/${result.metadata.name}`,
      });
  }
  return { manifests, errors };
}

/** What a pod needs comes before the pods. */
export function inOrder(manifests: readonly Manifest[]): Manifest[] {
  return [...manifests].sort((a, b) => Number(a.kind === 'pods') - Number(b.kind === 'pods'));
}

function admit(raw: unknown): Pick<Manifest, 'kind' | 'metadata' | 'warnings'> | { errors: FieldError[] } {
  const given = (raw as { kind?: unknown } | null)?.kind;
  if (given === 'ConfigMap' || given === 'Secret') {
    const result = given === 'ConfigMap' ? admitConfigMap(raw) : admitSecret(raw);
    if ('errors' in result) return result;
    const kind = given === 'ConfigMap' ? 'configmaps' : 'secrets';
    return { kind, metadata: result.object.metadata, warnings: result.warnings };
  }
  const result = admitWorkload(raw);
  if ('errors' in result) return result;
  return { kind: 'pods', metadata: result.pod.metadata, warnings: result.warnings };
}

const line = ({ path, reason }: FieldError) => (path ? `${path}: ${reason}` : reason);

function nameOf(raw: unknown): string {
  const object = raw as { kind?: unknown; metadata?: { name?: unknown } } | null;
  return `${String(object?.kind ?? 'object').toLowerCase()}/${String(object?.metadata?.name ?? '(no name)')}`;
}
