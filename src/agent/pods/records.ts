/** The reconciler's durable records and address leases, kept in the store. */
import type { PodRecords } from '../../pods/deps.ts';
import type { IpLeases, UserRanges } from '../../pods/ports.ts';
import type { PodRecord } from '../../pods/types.ts';
import type { LeaseKind, LeasesTable } from '../../store/leases.ts';
import type { PodsTable } from '../../store/pods.ts';

/** A record that is no JSON is left out: the pod is then taken up from its running sandbox, like one that is not known. */
export function podRecords(table: PodsTable): PodRecords {
  const read = (text: string): PodRecord | undefined => {
    try {
      return JSON.parse(text) as PodRecord;
    } catch {
      return undefined;
    }
  };
  return {
    get: (uid) => {
      const row = table.get(uid);
      return row && read(row.record);
    },
    list: () => table.list().flatMap(({ record }) => read(record) ?? []),
    put: (record) => {
      const { uid, namespace, name } = record;
      table.put({ uid, namespace, name, record: JSON.stringify(record) });
    },
    delete: (uid) => {
      table.remove(uid);
    },
  };
}

/** What `ipLeases` gives out. */
const KINDS: LeaseKind[] = ['ip', 'uidrange'];

/** No address is free. */
export class AddressesExhausted extends Error {
  readonly code = 'E_NO_ADDRESS';
}

/**
 * Leases of the host addresses of `subnet` (CIDR). The first address is the bridge's; network and broadcast are left out.
 * A new lease takes the address after the newest one, so that an address is not reused while something may still
 * remember who had it.
 */
export function ipLeases(table: LeasesTable, subnet: string, users?: UserRanges): IpLeases {
  const [base = '0.0.0.0', bits = '24'] = subnet.split('/');
  const first = toNumber(base) + 2;
  const count = 2 ** (32 - Number(bits)) - 3;
  let next = 0;
  return {
    ...(users && { users }),
    lease(uid) {
      const held = table.ownedBy(uid).find(({ kind }) => kind === 'ip');
      if (held) return held.key;
      const taken = new Set(table.list('ip').map(({ key }) => key));
      for (let tries = 0; tries < count; tries++) {
        const address = toText(first + ((next + tries) % count));
        if (taken.has(address)) continue;
        table.take('ip', address, uid);
        next = (next + tries + 1) % count;
        return address;
      }
      throw new AddressesExhausted(`all ${count} addresses of ${subnet} are held by pods: see network.subnet`);
    },
    claim(uid, ip) {
      const address = toNumber(ip);
      if (address < first || address >= first + count) return;
      table.take('ip', ip, uid);
    },
    keepOnly(uids) {
      const keep = new Set(uids);
      for (const { kind, key, owner } of KINDS.flatMap((kind) => table.list(kind)))
        if (!keep.has(owner)) table.release(kind, key, owner);
    },
    release: (uid) => {
      for (const { kind, key } of table.ownedBy(uid)) if (KINDS.includes(kind)) table.release(kind, key, uid);
    },
  };
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}
