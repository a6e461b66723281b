/** A machine outside: a network namespace of its own, one cable to the node. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { promisify } from 'node:util';

export class Outside {
  /** The node's address on the cable, and the outside's. */
  readonly node: string;
  readonly address: string;
  readonly #link: string;
  readonly #holder: ChildProcess;

  private constructor(link: string, holder: ChildProcess, third: number) {
    this.#link = link;
    this.#holder = holder;
    this.node = `198.18.${third}.1`;
    this.address = `198.18.${third}.2`;
  }

  static async open(): Promise<Outside> {
    const third = process.pid % 250;
    const link = `out${process.pid}`;
    const holder = spawn('unshare', ['-n', 'sh', '-c', 'echo ready; exec sleep 1000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => holder.stdout?.once('data', resolve));
    const outside = new Outside(link, holder, third);
    const ip = (...args: string[]) => execFileSync('ip', args);
    ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(holder.pid));
    ip('address', 'add', `${outside.node}/24`, 'dev', link);
    ip('link', 'set', link, 'up');
    outside.ip('link', 'set', 'lo', 'up');
    outside.ip('address', 'add', `${outside.address}/24`, 'dev', 'eth0');
    outside.ip('link', 'set', 'eth0', 'up');
    return outside;
  }

  /** `ip …` out there. */
  ip(...args: string[]): string {
    return execFileSync('nsenter', [`--net=/proc/${this.#holder.pid}/ns/net`, 'ip', ...args], { encoding: 'utf8' });
  }

  /** What this JavaScript prints when it runs out there. */
  async run(script: string): Promise<string> {
    const netns = `--net=/proc/${this.#holder.pid}/ns/net`;
    const { stdout } = await promisify(execFile)('nsenter', [netns, process.execPath, '-e', script]);
    return stdout.trim();
  }

  close(): void {
    execFileSync('ip', ['link', 'delete', this.#link]);
    this.#holder.kill('SIGKILL');
  }
}
