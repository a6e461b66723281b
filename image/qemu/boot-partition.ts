/** Puts files on a disk's boot partition, as a person with a card reader does. */
import { execFileSync } from 'node:child_process';
import { BOOT_OFFSET } from '../disk.ts';

/** @param content the file's text or bytes; an existing file is replaced */
export function putBootFile(disk: string, name: string, content: string | Uint8Array): void {
  execFileSync('mcopy', ['-o', '-i', `${disk}@@${BOOT_OFFSET}`, '-', `::/${name}`], {
    input: content,
    stdio: ['pipe', 'ignore', 'inherit'],
    env: { ...process.env, MTOOLS_SKIP_CHECK: '1' },
  });
}

/** The text of a file there. */
export function bootFile(disk: string, name: string): string {
  return execFileSync('mtype', ['-i', `${disk}@@${BOOT_OFFSET}`, `::/${name}`], {
    encoding: 'utf8',
    env: { ...process.env, MTOOLS_SKIP_CHECK: '1' },
  });
}
