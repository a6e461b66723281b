import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { ownerOf, parseListeners, readListeners } from '../../../src/runtime/network/listening.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const line = (local: string, state: string) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 4711 1 0\n`;

test('listening sockets of the tables in /proc/net', () => {
  const tcp = HEAD + line('0100007F:1F90', '0A') + line('00000000:0016', '0A') + line('0100007F:1F91', '01');
  assert.deepEqual(parseListeners(tcp, 'TCP'), [
    { protocol: 'TCP', ip: '127.0.0.1', port: 8080, inode: '4711' },
    { protocol: 'TCP', ip: '0.0.0.0', port: 22, inode: '4711' },
  ]);
  const six =
    HEAD +
    line(`${'0'.repeat(32)}:0050`, '0A') +
    line('00000000000000000000000001000000:0051', '0A') +
    line('0000000000000000FFFF00000100007F:0052', '0A');
  assert.deepEqual(
    parseListeners(six, 'TCP').map(({ ip, port }) => `${ip}:${port}`),
    ['0.0.0.0:80', '127.0.0.1:82'],
  );
  assert.equal(parseListeners(HEAD + line('00000000:0035', '07'), 'UDP')[0]?.port, 53);
});

test('a real one is found, with its owner', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const found = readListeners().find((listener) => listener.port === port);
  assert.equal(found?.ip, '127.0.0.1');
  assert.match(ownerOf(found?.inode ?? ''), new RegExp(`pid ${process.pid}\\)`));
  server.close();
});
