/** `edgepod broker`: an MQTT 5 broker for trying things out. */
import { type Command, InvalidArgumentError } from 'commander';
import { action, CommandError } from '../failure.ts';

export function registerBroker(program: Command): void {
  program
    .command('broker')
    .description('run an MQTT 5 broker in memory, for trying edgepod out')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'TCP port', portNumber, 1883)
    .action(
      action(async ({ host, port }: { host: string; port: number }) => {
        const { startTrialBroker } = await import('../trial-broker.ts');
        const broker = await startTrialBroker(host, port).catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'EADDRINUSE')
            throw new CommandError(
              `port ${port} on ${host} is in use: is a broker running already? else give another --port`,
            );
          throw error;
        });
        process.stdout.write(`MQTT 5 broker on ${broker.url}; nothing is kept when it ends. Ctrl-C ends it.\n`);
        await new Promise<void>((resolve) => {
          process.once('SIGINT', () => resolve());
          process.once('SIGTERM', () => resolve());
        });
        await broker.close();
      }),
    );
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new InvalidArgumentError('expected a port from 0 to 65535');
  return port;
}
