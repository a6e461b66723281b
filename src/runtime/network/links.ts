/** What the node's files say of its links and namespaces. */
import { readFile, stat } from 'node:fs/promises';
import { defaultInterface, readRoutes } from './subnet.ts';

export const FALLBACK_MTU = 1500;

/** Inode of the network namespace of `pid`. Rejects when there is no such process. */
export const netnsOf = async (pid: number): Promise<number> => (await stat(`/proc/${pid}/ns/net`)).ino;

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Pods must not send larger packets than the node's way out takes; without a way out, Ethernet's size. */
export async function uplinkMtu(): Promise<number> {
  const uplink = defaultInterface(await readRoutes().catch(() => ''));
  const text = uplink ? await readFile(`/sys/class/net/${uplink}/mtu`, 'utf8').catch(() => '') : '';
  return Number(text) || FALLBACK_MTU;
}
