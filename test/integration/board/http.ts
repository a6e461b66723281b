/** Asking a pod's web server. */
import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';

const PATIENCE_MS = 20_000;

/** The HTTP status, or as text why there was none. */
export function status(url: string): Promise<number | string> {
  return fetch(url, { signal: AbortSignal.timeout(3000) }).then(
    (answer) => answer.status,
    (error: Error) => String(error.cause ?? error),
  );
}

/** Waits for any answer: a container that runs has not necessarily bound its port. */
export async function answers(url: string, when: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (let last = await status(url); typeof last === 'string'; last = await status(url)) {
    assert.ok(Date.now() < deadline, `no answer from ${url} ${when}: ${last}`);
    await setTimeout(100);
  }
}
