/** `--watch`: more rows under the table that was printed. */
import type { Fleet, Message } from '../../client/fleet.ts';
import { interrupted } from '../signals.ts';

/** Calls `print` for every live message, one after the other, until Ctrl-C. */
export async function watch(
  fleet: Fleet,
  filter: string | string[],
  print: (message: Message) => Promise<void>,
): Promise<void> {
  let queue = Promise.resolve();
  const stop = fleet.listen((message) => {
    if (!message.retained && message.payload.length > 0) queue = queue.then(() => print(message));
  });
  await fleet.client.subscribeAsync(filter, { qos: 1, rh: 2 });
  await interrupted(fleet.client);
  stop();
  await queue;
}

/** The newest row, as wide as the table above it. */
export function lastLine(text: string): string {
  return `${text.trimEnd().split('\n').at(-1)}\n`;
}
