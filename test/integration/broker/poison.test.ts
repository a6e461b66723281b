/** Hostile messages: refused with a reason, the last good state kept, the link up, the next message taken in. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startMosquitto } from '../mosquitto.ts';
import { manifest } from './device.ts';
import { device, eventually, operator, tempDir } from './helpers.ts';

const WEB = 'edgepod/devices/board-7/desired/pods/default/web';

const POISON: Record<string, string | Buffer> = {
  '1 MB': Buffer.alloc(1_000_000, 'x'),
  '1 MiB': Buffer.alloc(1_048_576, 'x'),
  'invalid UTF-8': Buffer.concat([
    Buffer.from('{"metadata":{"name":"'),
    Buffer.from([0xff, 0xfe, 0xc0]),
    Buffer.from('"}}'),
  ]),
  'deeply nested JSON': '['.repeat(100_000),
  'deeply nested YAML': `${'- '.repeat(50_000)}x`,
  'a YAML bomb': `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from(
    { length: 20 },
    (_, i) =>
      `${String.fromCharCode(98 + i)}: &${String.fromCharCode(98 + i)} [${Array(9)
        .fill(`*${String.fromCharCode(97 + i)}`)
        .join(',')}]`,
  ).join('\n')}`,
  'a lone NUL': Buffer.from([0]),
  'a number': '42',
  null: 'null',
  'a prototype': '{"__proto__":{"name":"web"},"metadata":null}',
};

test('poison of every kind', async (t) => {
  const broker = await startMosquitto();
  t.after(() => broker.stop());
  const board = device(t, { url: broker.url, database: join(tempDir(t), 'edgepod.db') });
  const ops = await operator(t, broker.url, []);
  await eventually('connected', () => board.session.connected);
  await ops.publish(WEB, manifest('web'), { retain: true });
  await eventually('good', () => board.results.length === 1);

  for (const [name, payload] of Object.entries(POISON)) {
    await t.test(name, async () => {
      const before = board.results.length;
      await ops.publish(WEB, payload, { retain: true });
      await eventually('an answer', () => board.results.length > before);
      const result = board.results.at(-1);
      assert.equal(result?.action, 'rejected');
      assert.ok((result?.errors[0]?.reason.length ?? 0) > 5, 'with a reason');
      assert.equal(board.store.objects.rejections('pods').length, 1);
    });
  }
  assert.equal(board.connections.length, 1, 'never disconnected');
  const { manifest: kept } = board.store.objects.effectiveOne('pods', 'default', 'web') ?? {};
  assert.equal(kept, manifest('web'));
  await ops.publish(WEB, manifest('web', 'next'), { retain: true });
  await eventually('the next good one', () => board.results.at(-1)?.action === 'put');
  assert.deepEqual(board.store.objects.rejections('pods'), []);

  await ops.publish(WEB, '', { retain: true });
  await eventually('deleted', () => board.results.at(-1)?.action === 'deleted');
  await ops.publish('edgepod/devices/board-7/desired/pods/default', '{}');
  await ops.publish('edgepod/devices/board-7/desired/pods/De fault/x', '{}');
  await eventually('bad topic', () => /is not a namespace/.test(board.results.at(-1)?.errors[0]?.reason ?? ''));
  assert.equal(board.connections.length, 1);
});
