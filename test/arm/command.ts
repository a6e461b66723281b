/** Commands of this machine, run to their end. */
import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';

export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  /** File that is the command's standard input; nothing by default. */
  input?: string;
  /** How long it may take before it is killed. Default: two minutes. */
  patienceMs?: number;
  /** Gets what the command prints, both streams, as it comes. */
  onOutput?: (text: string) => void;
}

/** Resolves when the command has ended, whatever its exit code; 128 stands for a signal. Rejects when its time is over. */
export async function run(program: string, args: string[], options: CommandOptions = {}): Promise<Output> {
  const { input, patienceMs = 120_000, onOutput } = options;
  const child = spawn(program, args, { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
  if (input !== undefined) {
    // A command that ends before it has read everything says so itself.
    child.stdin!.on('error', () => {});
    createReadStream(input).pipe(child.stdin!);
  }
  const output: Output = { code: -1, stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream]!.setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
      onOutput?.(text);
    });
  const { promise, resolve, reject } = Promise.withResolvers<Output>();
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
    reject(new Error(`${program} ${args.at(-1)}: not done after ${patienceMs} ms\n${output.stdout}${output.stderr}`));
  }, patienceMs);
  child.once('error', reject);
  child.once('close', (code) => {
    output.code = code ?? 128;
    resolve(output);
  });
  return promise.finally(() => clearTimeout(timer));
}
