/**
 * A broker for trying edgepod out: aedes, in this process, in memory. What is retained is gone when it ends, so it is
 * no broker for a fleet; any MQTT 5 broker is.
 */
import { createServer, type Socket } from 'node:net';
import { Aedes } from 'aedes';

export interface TrialBroker {
  url: string;
  close(): Promise<void>;
}

/** Listens on `host:port` (port 0: any free one). Rejects with the listen error, e.g. EADDRINUSE. */
export async function startTrialBroker(host: string, port: number): Promise<TrialBroker> {
  const aedes = await Aedes.createBroker({});
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    aedes.handle(socket);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  await promise.catch(async (error: unknown) => {
    await new Promise<void>((done) => aedes.close(() => done()));
    throw error;
  });
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  return {
    url: `mqtt://${host}:${bound}`,
    async close() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      await new Promise<void>((done) => aedes.close(() => done()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
