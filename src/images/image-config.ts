/** The OCI image configuration: what of it counts, checked. Labels are never interpreted (CVE-2026-53488), nor are volumes. */
import type { ImageConfig } from '../pods/ports.ts';
import { shown } from './archive-files.ts';
import { ImageError } from './errors.ts';

export interface ParsedConfig {
  os: string;
  architecture: string;
  /** Of 32-bit ARM: `v7`. */
  variant?: string;
  config: ImageConfig;
  /** Lowest layer first. */
  diffIds: string[];
}

const DIFF_ID = /^sha256:[0-9a-f]{64}$/;
/** What docker allows, and what fits into the options of one overlay mount. */
const MAX_LAYERS = 127;
/** UIDs above this wrap to other users in places (CVE-2024-40635). */
const MAX_ID = 2 ** 31 - 1;
const MAX_STRINGS = 4096;

/** @throws ImageError ArchiveInvalid naming the member that is wrong */
export function parseImageConfig(text: string): ParsedConfig {
  const raw = parseObject(text);
  const run = object(raw.config ?? {}, 'config');
  const rootfs = object(raw.rootfs, 'rootfs');
  const diffIds = strings(rootfs.diff_ids, 'rootfs.diff_ids');
  if (diffIds.length === 0 || diffIds.length > MAX_LAYERS)
    throw invalid('rootfs.diff_ids', `1 to ${MAX_LAYERS} layers`);
  if (!diffIds.every((id) => DIFF_ID.test(id))) throw invalid('rootfs.diff_ids', 'sha256 digests');
  return {
    os: string(raw.os ?? 'linux', 'os'),
    architecture: string(raw.architecture, 'architecture'),
    ...(raw.variant ? { variant: string(raw.variant, 'variant') } : {}),
    diffIds,
    config: {
      // Anything but KEY=VALUE would mean "take it from the runtime's own environment" (CVE-2026-57231).
      env: strings(run.Env ?? [], 'config.Env').filter((entry) => entry.indexOf('=') > 0),
      entrypoint: strings(run.Entrypoint ?? [], 'config.Entrypoint'),
      cmd: strings(run.Cmd ?? [], 'config.Cmd'),
      workingDir: workingDir(string(run.WorkingDir ?? '', 'config.WorkingDir')),
      user: user(string(run.User ?? '', 'config.User')),
      stopSignal: stopSignal(string(run.StopSignal ?? '', 'config.StopSignal')),
    },
  };
}

/** `name`, `uid`, either with `:group` or `:gid`. */
function user(text: string): string {
  for (const part of text.split(':')) {
    if (/^\d+$/.test(part) && Number(part) > MAX_ID) throw invalid('config.User', `ids up to ${MAX_ID}, not ${part}`);
  }
  if (text.length > 256 || text.split(':').length > 2 || /[\s\0]/.test(text))
    throw invalid('config.User', 'user[:group]');
  return text;
}

/** Docker takes a relative directory as one below the root. */
function workingDir(text: string): string {
  return text === '' || text.startsWith('/') ? text : `/${text}`;
}

/** `SIGTERM`, `TERM`, `SIGRTMIN+3` or a number. */
function stopSignal(text: string): string {
  if (text === '' || /^(?:[A-Z][A-Z0-9]{1,15}(?:[+-]\d{1,2})?|\d{1,2})$/.test(text)) return text;
  throw invalid('config.StopSignal', `the name or number of a signal, not ${shown(text)}`);
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return object(JSON.parse(text), '');
  } catch (error) {
    if (error instanceof ImageError) throw error;
    throw new ImageError('ArchiveInvalid', `the image configuration is not JSON: ${(error as Error).message}`);
  }
}

function object(value: unknown, path: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalid(path, 'an object');
}

function string(value: unknown, path: string): string {
  if (typeof value === 'string' && value.length <= MAX_STRINGS && !value.includes('\0')) return value;
  throw invalid(path, 'a string');
}

function strings(value: unknown, path: string): string[] {
  if (
    Array.isArray(value) &&
    value.length <= MAX_STRINGS &&
    value.every((item) => typeof item === 'string' && !item.includes('\0'))
  )
    return value as string[];
  throw invalid(path, 'a list of strings');
}

function invalid(path: string, expected: string): ImageError {
  return new ImageError('ArchiveInvalid', `image configuration: ${path || 'the document'} must be ${expected}`);
}
