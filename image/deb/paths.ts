/** Where things are. */
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');
export const sources = import.meta.dirname;

/** Debian's name of an architecture → Node's. */
export const NODE_ARCH: Readonly<Record<string, string>> = { amd64: 'x64', arm64: 'arm64' };
