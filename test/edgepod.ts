/** The command under test: the sources, or what EDGEPOD_COMMAND names (a production bundle). */
import { join } from 'node:path';

export const EDGEPOD = process.env.EDGEPOD_COMMAND ?? join(import.meta.dirname, '../src/cli/edgepod');
