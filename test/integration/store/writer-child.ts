/** Writes to a store as fast as it can until it is killed, and says after each commit what is on disk. argv[2]: path. */
import { writeSync } from 'node:fs';
import { openStore } from '../../../src/store/store.ts';
import { memoryLog } from '../../unit/store/temp-store.ts';

const store = openStore(process.argv[2] ?? '', { log: memoryLog(), now: () => new Date() });
// Synchronous, so that a line never runs ahead of its commit nor waits in a buffer of this process.
const say = (text: string) => writeSync(1, `${text}\n`);
say(store.opened.state);
const key = { kind: 'pods', namespace: 'default', source: 'device' };
for (let i = 1; ; i++) {
  const number = store.meta.increment('number');
  const manifest = JSON.stringify({ number, filler: 'x'.repeat((number * 37) % 3000) });
  const digests = { specDigest: `${number}`, manifestDigest: `${number}` };
  const rest = { manifest, ...digests, generation: number, deletionTimestamp: undefined, topic: 't' };
  store.objects.put({ ...key, name: `p${number % 50}`, ...rest });
  store.outbox.putRetained(`status/${number % 50}`, `${number}`);
  store.outbox.addEvent('events', (seq) => `${seq}`);
  if (i % 100 === 0) store.backup();
  say(`${number}`);
}
