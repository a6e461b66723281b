/** Ranges of the node's user and group ids for pods with users of their own, one a pod, kept in the store. */
import type { UserRanges } from '../../pods/ports.ts';
import type { LeasesTable } from '../../store/leases.ts';

/** Ids of one pod: as many as a container's files may name. */
const SIZE = 65_536;
/** Above it ids are negative numbers to somebody. */
const END = 2 ** 31;

/** No range is free. */
export class UserRangesExhausted extends Error {
  readonly code = 'E_NO_USERS';
}

/** `base`: the first id of the first range. */
export function userRanges(table: LeasesTable, base: number): UserRanges {
  const count = Math.floor((END - base) / SIZE);
  return {
    lease(uid) {
      const held = table.ownedBy(uid).find(({ kind }) => kind === 'uidrange');
      if (held) return Number(held.key);
      const taken = new Set(table.list('uidrange').map(({ key }) => Number(key)));
      for (let index = 0; index < count; index++) {
        const first = base + index * SIZE;
        if (taken.has(first)) continue;
        table.take('uidrange', String(first), uid);
        return first;
      }
      throw new UserRangesExhausted(`all ${count} ranges of user ids are held by pods: see userNamespaces.firstId`);
    },
    claim: (uid, first) => {
      table.take('uidrange', String(first), uid);
    },
  };
}
