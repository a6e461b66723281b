import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openStore, type Store, type StoreOptions } from '../../../src/store/store.ts';

export const NOW = new Date('2026-05-01T12:00:00Z');

export interface LogLine {
  level: 'info' | 'warn' | 'error' | 'debug';
  fields: Record<string, unknown>;
  message: string;
}

/** A logger that remembers. */
export function memoryLog() {
  const lines: LogLine[] = [];
  const at = (level: LogLine['level']) => (fields: object, message: string) =>
    void lines.push({ level, fields: fields as Record<string, unknown>, message });
  return { lines, info: at('info'), warn: at('warn'), error: at('error'), debug: at('debug') };
}

/** A directory that is gone after the test. */
export function tempDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'edgepod-store-test-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export function open(path: string, options: Partial<StoreOptions> = {}): Store {
  return openStore(path, { log: memoryLog(), now: () => NOW, ...options });
}

/** A store in a directory of its own, closed and removed after the test. */
export function tempStore(t: TestContext, options: Partial<StoreOptions> = {}): Store {
  const store = open(join(tempDir(t), 'edgepod.db'), options);
  t.after(() => store.close());
  return store;
}
