/** `--watch`: what comes after what was printed. */
import type { Fleet, Message } from '../../client/fleet.ts';
import { interrupted } from '../signals.ts';

/** Calls `print` for every live message, one after the other, until Ctrl-C. Rejects when one cannot be printed. */
export async function watch(
  fleet: Fleet,
  filter: string | string[],
  print: (message: Message) => Promise<void>,
): Promise<void> {
  const failed = Promise.withResolvers<never>();
  let queue = Promise.resolve();
  const stop = fleet.listen((message) => {
    if (message.retained || message.payload.length === 0) return;
    queue = queue.then(() => print(message)).catch(failed.reject);
  });
  try {
    await fleet.client.subscribeAsync(filter, { qos: 1, rh: 2 });
    await Promise.race([interrupted(fleet.client), failed.promise]);
  } finally {
    stop();
  }
  await queue;
}
