/** Kernel settings of the pod network, in /proc/sys and /sys. */
import { readFile, writeFile } from 'node:fs/promises';
import { hasCode, RuntimeError, runtimeError } from '../errors.ts';

/** Writes only what is not so already: in a container with read-only /proc/sys the value is often right. */
export async function setSysctl(path: string, value: string, { optional = false } = {}): Promise<void> {
  try {
    if ((await readFile(path, 'utf8')).trim() !== value) await writeFile(path, value);
  } catch (error) {
    if (optional && hasCode(error, 'ENOENT')) return;
    throw new RuntimeError({ ...runtimeError(error, { step: 'sysctl' }), detail: `${path} cannot be set to ${value}` });
  }
}
