/** Manifests as given on the command line: a file, or `-` for standard input; validated before anything is sent. */
import { readFileSync } from 'node:fs';
import { admitWorkload } from '../manifest/kinds.ts';
import { parseManifestSync } from '../manifest/parse.ts';
import type { FieldError, Pod } from '../manifest/types.ts';
import { CommandError } from './failure.ts';

/** A valid object: as written (what is published) and with defaults filled in (what it means). */
export interface Manifest {
  raw: Record<string, unknown>;
  pod: Pod;
  warnings: FieldError[];
}

/** @throws CommandError listing every error with its path */
export function readManifests(file: string): Manifest[] {
  const { manifests, errors } = checkManifests(file);
  if (errors.length > 0) throw new CommandError(errors.join('\nerror: '));
  return manifests;
}

/** Valid manifests and printable errors of `file`. @throws CommandError when it cannot be read */
export function checkManifests(file: string): { manifests: Manifest[]; errors: string[] } {
  const label = file === '-' ? 'standard input' : file;
  const parsed = parseManifestSync(readBytes(file, label));
  if ('errors' in parsed) return { manifests: [], errors: parsed.errors.map((error) => `${label}: ${line(error)}`) };
  if (parsed.objects.length === 0) return { manifests: [], errors: [`${label}: no objects in it`] };
  const manifests: Manifest[] = [];
  const errors: string[] = [];
  for (const raw of parsed.objects) {
    const result = admitWorkload(raw);
    if ('errors' in result) errors.push(...result.errors.map((error) => `${label}: ${nameOf(raw)}: ${line(error)}`));
    else manifests.push({ raw: raw as Record<string, unknown>, pod: result.pod, warnings: result.warnings });
  }
  return { manifests, errors };
}

function readBytes(file: string, label: string): Uint8Array {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    throw new CommandError(`cannot read ${label}: ${(error as Error).message}`);
  }
}

const line = ({ path, reason }: FieldError) => (path ? `${path}: ${reason}` : reason);

function nameOf(raw: unknown): string {
  const object = raw as { kind?: unknown; metadata?: { name?: unknown } } | null;
  return `${String(object?.kind ?? 'object').toLowerCase()}/${String(object?.metadata?.name ?? '(no name)')}`;
}
