/** A process that is killed while it writes loses nothing it has confirmed, and never leaves a damaged database. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../../../src/store/store.ts';
import { memoryLog } from '../../unit/store/temp-store.ts';

test('killed in the middle of writing, six times', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'edgepod-power-cut-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const path = join(dir, 'edgepod.db');
  let confirmed = 0;
  for (let round = 0; round < 6; round++) {
    const last = await writeUntil(t, path, confirmed + 20 + round * 25);
    assert.ok(last > confirmed);
    confirmed = last;
    const store = openStore(path, { log: memoryLog(), now: () => new Date() });
    assert.equal(store.opened.state, 'ok');
    const number = Number(store.meta.get('number'));
    assert.ok(number >= confirmed && number <= confirmed + 1, `confirmed ${confirmed}, found ${number}`);
    const stored = store.objects.get({
      kind: 'pods',
      namespace: 'default',
      name: `p${confirmed % 50}`,
      source: 'device',
    });
    assert.ok(Number(stored?.generation) >= confirmed - 50);
    assert.equal(stored?.generation, JSON.parse(stored?.manifest ?? '{}').number);
    assert.equal(String(store.outbox.retained(`status/${confirmed % 50}`)?.body), `${confirmed}`);
    const events = store.outbox.pending(5000).filter(({ kind }) => kind === 'event');
    assert.equal(events.length, Math.min(1000, Number(events.at(-1)?.seq)));
    store.close();
  }
  t.diagnostic(`${confirmed} rounds of writes confirmed`);
});

/** Lets a child write until it has confirmed `target`, kills it, and returns the last number it confirmed. */
async function writeUntil(t: import('node:test').TestContext, path: string, target: number): Promise<number> {
  const script = join(import.meta.dirname, 'writer-child.ts');
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (Number(text.trimEnd().split('\n').at(-1)) >= target) child.kill('SIGKILL');
  });
  await once(child, 'close');
  // The last line may be cut off; the one before it is whole.
  const lines = text
    .split('\n')
    .slice(0, -1)
    .filter((line) => /^\d+$/.test(line));
  return Number(lines.at(-1) ?? 0);
}
