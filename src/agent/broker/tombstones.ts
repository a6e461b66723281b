/** What becomes of a tombstone that was carried out. */
import type { DesiredKind, Topics } from '../../broker/topics.ts';
import type { Store } from '../../store/store.ts';

/** Every source's row that is a tombstone goes, and our own topic is cleared at the broker: both or neither. */
export function buryTombstones(
  { store, topics }: { store: Pick<Store, 'objects' | 'outbox' | 'transaction'>; topics: Topics },
  kind: DesiredKind,
  namespace: string,
  name: string,
): void {
  store.transaction(() => {
    for (const object of store.objects.sources(kind, namespace, name)) {
      if (object.deletionTimestamp === undefined) continue;
      store.objects.remove(object);
      if (object.source === 'device')
        store.outbox.putRetained(topics.desired({ kind, namespace, name, source: 'device' }), '');
    }
  });
}
