import type { PodRecords } from './deps.ts';
import type { PodRecord } from './types.ts';

/** A table of texts by uid, as the store keeps it. */
export interface RecordTable {
  get(uid: string): { record: string } | undefined;
  list(): { uid: string; record: string }[];
  put(row: { uid: string; namespace: string; name: string; record: string }): unknown;
  remove(uid: string): unknown;
}

/**
 * Records as JSON texts. One that cannot be read is as good as lost: `unreadable` is told, and a pod that runs is
 * adopted from its sandbox instead.
 */
export const jsonRecords = (table: RecordTable, unreadable: (uid: string) => void): PodRecords => {
  const parse = (uid: string, text: string): PodRecord[] => {
    try {
      const record = JSON.parse(text) as Partial<PodRecord>;
      if (record.uid === uid && record.pod?.spec && record.containers) return [record as PodRecord];
    } catch {
      // reported below, as any other text that is no record
    }
    unreadable(uid);
    return [];
  };
  return {
    get(uid) {
      const row = table.get(uid);
      return row && parse(uid, row.record)[0];
    },
    list: () => table.list().flatMap(({ uid, record }) => parse(uid, record)),
    put(record) {
      table.put({
        uid: record.uid,
        namespace: record.namespace,
        name: record.name,
        record: JSON.stringify(record),
      });
    },
    delete(uid) {
      table.remove(uid);
    },
  };
};
