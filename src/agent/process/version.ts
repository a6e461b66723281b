/** The version of this edgepod, from package.json: inlined by the bundle, read from the file in a source tree. */
import { createRequire } from 'node:module';

declare const EDGEPOD_VERSION: string | undefined;

export const VERSION: string =
  typeof EDGEPOD_VERSION === 'string'
    ? EDGEPOD_VERSION
    : (createRequire(import.meta.url)('../../../package.json') as { version: string }).version;
