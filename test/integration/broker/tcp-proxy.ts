import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface TcpProxy {
  url: string;
  /** Connections accepted so far. */
  accepted(): number;
  /** Breaks every connection now, as a lost network does; new ones are accepted again. */
  cut(): void;
}

/** A link that can be cut, in front of a broker on loopback. */
export async function tcpProxy(t: TestContext, targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createServer((inner) => {
    accepted += 1;
    const outer = connect(targetPort, '127.0.0.1');
    for (const [socket, peer] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        peer.destroy();
      });
    }
    inner.pipe(outer);
    outer.pipe(inner);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  t.after(() => {
    server.close();
    cut();
  });
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `mqtt://127.0.0.1:${port}`, accepted: () => accepted, cut };
}
