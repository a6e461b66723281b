/** What the end of a pod takes beyond what its own processes take to go. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Board } from '../integration/board/board.ts';
import { bothRunning, manifest, processesOf } from './demo-pod.ts';
import { interleaved, ms, report } from './measure.ts';

/** What the agent sends them: nginx what its image asks for. */
const STOP_SIGNALS: Record<string, NodeJS.Signals> = { nginx: 'SIGQUIT', sh: 'SIGTERM' };

export async function benchEnds(board: Board, rounds: number): Promise<void> {
  const times = await interleaved(rounds, {
    own: () => ended(board, 'own'),
    stopped: () => ended(board, 'stopped'),
    cleared: () => ended(board, 'cleared'),
  });
  const { own, stopped, cleared } = times as Record<'own' | 'stopped' | 'cleared', (typeof times)[string]>;
  report('End of a two-container pod that honours its stop signals', [
    { what: 'signalled by hand → both processes gone', figure: ms(own) },
    {
      what: 'tombstone published → both processes gone',
      figure: ms(stopped),
      ratio: (stopped.median - own.median) / 20,
      budget: 1,
      byClock: true,
      note: 'beyond their own exit, to 20 ms',
    },
    { what: 'tombstone published → nothing left, topics cleared', figure: ms(cleared) },
  ]);
}

/** Milliseconds that an end takes of a pod that has come to rest; none is left afterwards. */
async function ended(board: Board, what: 'own' | 'stopped' | 'cleared'): Promise<number> {
  await board.desire('bench', manifest('bench'));
  const pod = await board.pod('bench', bothRunning);
  const pids = processesOf(board, pod.metadata.uid!).containers;
  await sleep(300);
  const began = performance.now();
  if (what === 'own') pids.forEach(signal);
  const cleared = what === 'own' ? undefined : board.undesire('bench');
  await (what === 'cleared' ? cleared : gone(pids));
  const took = performance.now() - began;
  await (cleared ?? board.undesire('bench'));
  return took;
}

const signal = (pid: number) => {
  process.kill(pid, STOP_SIGNALS[readFileSync(`/proc/${pid}/comm`, 'utf8').trim()] ?? 'SIGTERM');
};

/** Reaped, that is. */
async function gone(pids: number[]): Promise<void> {
  while (pids.some(exists)) await sleep(1);
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
