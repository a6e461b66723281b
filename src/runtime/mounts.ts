/** Which mounts lie below a directory, from /proc/self/mountinfo. */
import { readFile } from 'node:fs/promises';

/** Mount points at or below `path`, deepest and newest first, so that they can be unmounted in this order. */
export async function mountsBelow(path: string): Promise<string[]> {
  return parseMountPoints(await readFile('/proc/self/mountinfo', 'utf8'))
    .filter((mount) => mount === path || mount.startsWith(`${path}/`))
    .reverse();
}

/** Mount points of a mountinfo file in its order (parents first); the kernel writes blanks and such as octal. */
export function parseMountPoints(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const point = line.split(' ')[4];
    return point ? [decodeOctal(point)] : [];
  });
}

const decodeOctal = (text: string): string => {
  if (!text.includes('\\')) return text;
  const latin1 = Buffer.from(text, 'utf8').toString('latin1');
  const bytes = latin1.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
};
