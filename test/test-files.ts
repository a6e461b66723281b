import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/** Tests by their outcome; those skipped or still to be written are in neither. */
export interface Tally {
  passed: number;
  failed: number;
}

export interface RunOptions {
  /** Files at a time. */
  concurrency: number;
  /** Milliseconds a file may take. */
  timeout: number;
  /** Ends the files that run. */
  signal?: AbortSignal;
}

/** Runs test files, each in a process of its own, and prints how they go. */
export async function runTestFiles(files: string[], options: RunOptions): Promise<Tally> {
  const tally = { passed: 0, failed: 0 };
  const stream = run({ files, ...options });
  stream.on('test:pass', ({ details, skip, todo }) => {
    if (details.type !== 'suite' && skip === undefined && todo === undefined) tally.passed += 1;
  });
  stream.on('test:fail', ({ details }) => {
    if (details.type !== 'suite') tally.failed += 1;
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  const reporter = stream.compose(spec);
  reporter.on('end', resolve);
  reporter.pipe(process.stdout, { end: false });
  await promise;
  return tally;
}
