/** Files that a person named: read, or a complaint that says which and why. */
import { readFileSync } from 'node:fs';
import { CommandError } from './failure.ts';

const WHY: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

/** @param what how the complaint names it, e.g. `pod.yaml` or `--ca-file ca.pem` @throws CommandError */
export function readNamed(file: string | 0, what: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new CommandError(`cannot read ${what}: ${WHY[code] ?? message}`);
  }
}
