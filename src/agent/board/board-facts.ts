/**
 * What the board is, found out by a process of its own: systeminformation costs some megabytes of heap and forks a
 * dozen helpers, once. With the process all of that is gone again; the agent keeps the few hundred bytes it printed.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type BoardFacts, fullFacts, quickFacts } from '../../node/facts.ts';

/** systeminformation takes up to a second on a small board that does nothing else; much longer while it boots. */
const TIMEOUT_MS = 120_000;
const MAX_BYTES = 1024 * 1024;

/** Runs `edgepod facts` on this Node. Rejects when it fails, takes too long, or `signal` ends it. */
export async function readBoardFacts(signal: AbortSignal): Promise<BoardFacts> {
  const [node, main] = [process.execPath, process.argv[1] ?? ''];
  const options = { signal, timeout: TIMEOUT_MS, maxBuffer: MAX_BYTES, killSignal: 'SIGKILL' as const };
  const { stdout } = await promisify(execFile)(node, [main, 'facts'], options);
  return JSON.parse(stdout) as BoardFacts;
}

/** The same, in this process: for the command. */
export const localBoardFacts = (): Promise<BoardFacts> => fullFacts(quickFacts());
