/** What stays in the agent's memory when many pods have come and gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Board } from '../integration/board/board.ts';
import { bothRunning, manifest } from './demo-pod.ts';
import { report } from './measure.ts';
import { memoryOf, memoryText } from './memory.ts';

const PODS = 60;
/** The agent looks once a minute, and collects garbage in the first one that was quiet. */
const QUIET_MS = 135_000;

export async function benchAfterPods(board: Board): Promise<void> {
  const agent = board.agent!.pid!;
  for (let count = 0; count < PODS; count++) {
    await board.desire('bench', manifest('bench'));
    await board.pod('bench', bothRunning);
    await board.undesire('bench');
  }
  const atOnce = memoryOf(agent);
  await sleep(QUIET_MS);
  const atRest = memoryOf(agent);
  report(`Memory of the agent after ${PODS} more pods`, [
    { what: 'at once', figure: memoryText(atOnce) },
    {
      what: 'two quiet minutes later',
      figure: memoryText(atRest),
      ratio: atRest.anon / (20 * 1024),
      budget: 1,
      note: 'anonymous to 20 MB',
    },
  ]);
}
