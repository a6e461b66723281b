/** A board that comes up with no broker in reach: from the agent's start until it is ready, and until its pod runs again. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Board } from '../integration/board/board.ts';
import { bothRunning, manifest, processesOf } from './demo-pod.ts';
import { ms, report, sample } from './measure.ts';

/** Nobody listens there. */
const NO_BROKER = ['--broker', 'mqtt://127.0.0.1:9'];

export async function benchColdStart(board: Board, rounds: number): Promise<void> {
  const ready: number[] = [];
  const running: number[] = [];
  const bare: number[] = [];
  await board.desire('bench', manifest('bench'));
  await board.pod('bench', bothRunning);
  for (let round = 0; round < rounds; round++) {
    bare.push(bareNode());
    await drained(board);
    const before = readies(board);
    const began = performance.now();
    board.spawnAgent(...NO_BROKER);
    while (readies(board) === before) await sleep(1);
    ready.push(performance.now() - began);
    while (containers(board) < 2) await sleep(1);
    running.push(performance.now() - began);
  }
  await board.stopAgent();
  await board.startAgent();
  await board.undesire('bench');
  const [bareTakes, readyAfter, runningAfter] = [sample(bare), sample(ready), sample(running)];
  report('Cold start with no broker in reach', [
    {
      what: 'agent started → ready',
      figure: ms(readyAfter),
      ratio: readyAfter.median / 1000,
      budget: 1,
      byClock: true,
      note: 'to 1 s, which is meant for a 4-core 1.5 GHz board',
    },
    {
      what: 'agent started → its two-container pod runs',
      figure: ms(runningAfter),
      ratio: runningAfter.median / bareTakes.median,
      note: 'to node alone',
    },
    {
      what: 'node alone: start and end of an empty program',
      figure: ms(bareTakes),
      note: `the agent is ready in ${(readyAfter.median / bareTakes.median).toFixed(1)} of it`,
    },
  ]);
}

/** Milliseconds that Node takes to start and to end. */
function bareNode(): number {
  const began = performance.now();
  execFileSync(process.execPath, ['-e', '0'], { stdio: 'ignore' });
  return performance.now() - began;
}

/** No agent, and nothing of the pod but what is desired: as after a boot. */
async function drained(board: Board): Promise<void> {
  await board.stopAgent();
  const before = readies(board);
  board.spawnAgent('--drain');
  await board.until('the draining agent to be ready', () => readies(board) > before);
  await board.stopAgent();
}

const readies = (board: Board) => board.logTail(Number.POSITIVE_INFINITY).split('"agent.ready"').length;

/** Of all pods, executed or about to be. */
function containers(board: Board): number {
  try {
    return readdirSync(join(board.runDir, 'pods')).flatMap((uid) => processesOf(board, uid).containers).length;
  } catch {
    return 0; // no shim yet
  }
}
