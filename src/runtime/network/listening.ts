/** Ports that processes of the node listen on, read from /proc/net. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface Listener {
  protocol: 'TCP' | 'UDP';
  /** `0.0.0.0` for every address. */
  ip: string;
  port: number;
  inode: string;
}

const TABLES = [
  { path: '/proc/net/tcp', protocol: 'TCP' },
  { path: '/proc/net/tcp6', protocol: 'TCP' },
  { path: '/proc/net/udp', protocol: 'UDP' },
  { path: '/proc/net/udp6', protocol: 'UDP' },
] as const;
/** TCP_LISTEN, and what the kernel shows for a datagram socket that talks to nobody in particular. */
const LISTENING = { TCP: '0A', UDP: '07' };

export const readListeners = (): Listener[] =>
  TABLES.flatMap(({ path, protocol }) => {
    try {
      return parseListeners(readFileSync(path, 'utf8'), protocol);
    } catch {
      return []; // a kernel without IPv6
    }
  });

/** The IPv4 side of one table: IPv6 sockets count when they are bound to every address. Pure. */
export function parseListeners(text: string, protocol: Listener['protocol']): Listener[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      const [address = '', port = ''] = local.split(':');
      if (state !== LISTENING[protocol]) return [];
      const ip = addressOf(address);
      return ip === undefined ? [] : [{ protocol, ip, port: Number.parseInt(port, 16), inode }];
    });
}

/** `nginx (pid 812)`, or what is known when its owner cannot be found. */
export function ownerOf(inode: string): string {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const holds = readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(pid, fd) === `socket:[${inode}]`);
      if (holds) return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (pid ${pid})`;
    } catch {
      // ended in the meantime
    }
  }
  return 'a process of this device';
}

function linkOf(pid: string, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return '';
  }
}

/** The kernel prints addresses as hexadecimal words in its own (little-endian) memory order. */
function addressOf(hex: string): string | undefined {
  if (/^0+$/.test(hex)) return '0.0.0.0';
  if (hex.length === 8) return Buffer.from(hex, 'hex').reverse().join('.');
  // An IPv4 address in an IPv6 socket.
  const mapped = /^0{16}FFFF0000([0-9A-F]{8})$/i.exec(hex)?.[1];
  return mapped && Buffer.from(mapped, 'hex').reverse().join('.');
}
