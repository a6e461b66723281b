/**
 * A tar writer that says exactly what it is told, so that tests can write archives no honest tool would: any type
 * flag, any name, sizes that lie, extended headers with anything in them. POSIX.1-2001 (pax) format.
 */

export interface TarEntry {
  name: string | Buffer;
  /** Type flag character; default `0` (regular file), or `5` when the name ends in a slash. */
  type?: string;
  data?: Buffer | string;
  /** Target of links. */
  link?: string | Buffer;
  /** Default 0644, directories and links 0755. */
  mode?: number;
  uid?: number;
  gid?: number;
  /** Seconds. */
  mtime?: number;
  /** Written in the header instead of the length of `data`. A string is written verbatim. */
  size?: number | string;
  major?: number;
  minor?: number;
  /** Extended header records written before the entry, in order; a Buffer is written verbatim as the whole body. */
  pax?: Record<string, string | Buffer> | Buffer;
  /** Overwrite of any header bytes after the checksum's fields are filled and before the checksum is computed. */
  patch?: (header: Buffer) => void;
}

const BLOCK = 512;

/** The whole archive: entries, then two zero blocks unless `end` is false. */
export function tar(entries: Iterable<TarEntry>, { end = true } = {}): Buffer {
  const parts: Buffer[] = [];
  for (const entry of entries) parts.push(...entryBlocks(entry));
  if (end) parts.push(Buffer.alloc(2 * BLOCK));
  return Buffer.concat(parts);
}

/** The blocks of one entry: extended header if needed, header, padded data. */
export function entryBlocks(entry: TarEntry): Buffer[] {
  const name = bytes(entry.name);
  const link = bytes(entry.link ?? '');
  const records: Record<string, string | Buffer> = {};
  if (name.length > 100) records.path = name;
  if (link.length > 100) records.linkpath = link;
  const body = Buffer.isBuffer(entry.pax) ? entry.pax : paxBody({ ...records, ...entry.pax });
  const blocks: Buffer[] = [];
  if (body.length > 0) {
    blocks.push(header({ name: 'PaxHeaders/x', type: 'x', mode: 0o644 }, body.length), padded(body));
  }
  const data = bytes(entry.data ?? '');
  blocks.push(header({ ...entry, name: name.subarray(0, 100), link: link.subarray(0, 100) }, data.length));
  if (data.length > 0) blocks.push(padded(data));
  return blocks;
}

/** Body of a pax extended header: `<length> <key>=<value>\n` records. */
export function paxBody(records: Record<string, string | Buffer>): Buffer {
  return Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, bytes(value))));
}

/** The 512-byte ustar header of one entry; `dataLength` is its size unless the entry states another. */
export function header(entry: TarEntry, dataLength: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const name = bytes(entry.name);
  const type = entry.type ?? (name.at(-1) === 0x2f ? '5' : '0');
  name.copy(block, 0, 0, 100);
  octal(block, 100, 8, entry.mode ?? (type === '5' || type === '2' ? 0o755 : 0o644));
  octal(block, 108, 8, entry.uid ?? 0);
  octal(block, 116, 8, entry.gid ?? 0);
  if (typeof entry.size === 'string') block.write(entry.size, 124, 12, 'latin1');
  else octal(block, 124, 12, entry.size ?? dataLength);
  octal(block, 136, 12, entry.mtime ?? 0);
  block.write(type, 156, 1, 'latin1');
  bytes(entry.link ?? '').copy(block, 157, 0, 100);
  block.write('ustar\x0000', 257, 8, 'latin1');
  octal(block, 329, 8, entry.major ?? 0);
  octal(block, 337, 8, entry.minor ?? 0);
  entry.patch?.(block);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  return block;
}

/** `data` filled up with zeros to a whole number of blocks. */
export function padded(data: Buffer): Buffer {
  const rest = data.length % BLOCK;
  return rest === 0 ? data : Buffer.concat([data, Buffer.alloc(BLOCK - rest)]);
}

function paxRecord(key: string, value: Buffer): Buffer {
  const payload = key.length + value.length + 3;
  let length = payload + 1;
  while (`${length}`.length + payload !== length) length = `${length}`.length + payload;
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from('\n')]);
}

/** Numbers too big for the field are written in the base-256 form of GNU tar. */
function octal(block: Buffer, offset: number, width: number, value: number): void {
  const text = value.toString(8);
  if (value >= 0 && text.length < width) {
    block.write(text.padStart(width - 1, '0'), offset, width - 1, 'latin1');
    return;
  }
  let rest = BigInt.asUintN((width - 1) * 8, BigInt(value));
  for (let i = width - 1; i > 0; i--) {
    block[offset + i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  block[offset] = value < 0 ? 0xff : 0x80;
}

function bytes(value: string | Buffer): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : value;
}
