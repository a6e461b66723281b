/** A board under test: a real agent process, a real broker, its own directories; and eyes on what it reports. */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import type { Pod } from '../../../src/manifest/types/pod.ts';
import { EDGEPOD } from '../../edgepod.ts';
import { leakedSoon, type Traces, traces } from '../../leaks.ts';
import { patience } from '../../patience.ts';
import { type Mosquitto, type MosquittoOptions, startMosquitto } from '../mosquitto.ts';

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

export class Board {
  readonly device: string;
  readonly dataDir: string;
  readonly runDir: string;
  readonly mosquitto: Mosquitto;
  readonly client: MqttClient;
  /** Newest payload by topic, below the device's topics; cleared topics are absent. */
  readonly topics = new Map<string, Buffer>();
  /** Every message in order of arrival. */
  readonly messages: { topic: string; payload: Buffer; retained: boolean }[] = [];
  agent: ChildProcess | undefined;
  static #count = 0;
  #base: string;
  #before: Traces;
  #settings: string[];
  /** Command line that the agent's is the end of. */
  #through: string[];
  #waiting = new Set<() => void>();

  private constructor(
    mosquitto: Mosquitto,
    client: MqttClient,
    { before, settings, through }: { before: Traces; settings: string[]; through: string[] },
  ) {
    this.mosquitto = mosquitto;
    this.client = client;
    this.#before = before;
    this.#settings = settings;
    this.#through = through;
    this.#base = mkdtempSync('/var/tmp/edgepod-board-');
    this.device = `board-${process.pid}-${Board.#count++}`;
    this.dataDir = join(this.#base, 'data');
    mkdirSync('/run/edgepod-test', { recursive: true, mode: 0o700 });
    this.runDir = mkdtempSync('/run/edgepod-test/');
    client.on('message', (topic, payload, { retain }) => {
      this.messages.push({ topic, payload, retained: retain });
      if (payload.length === 0) this.topics.delete(topic);
      else this.topics.set(topic, payload);
      for (const wake of this.#waiting) wake();
    });
  }

  /** A broker, a client that sees everything, and (unless `start` is false) a running agent. */
  static async open({
    start = true,
    settings = [] as string[],
    through = [] as string[],
    broker = {} as MosquittoOptions,
  } = {}): Promise<Board> {
    const before = traces();
    const mosquitto = await startMosquitto(broker);
    const client = await mqtt.connectAsync(mosquitto.url, { protocolVersion: 5, reconnectPeriod: 100 });
    const board = new Board(mosquitto, client, { before, settings, through });
    await client.subscribeAsync(`edgepod/devices/${board.device}/#`, { qos: 1 });
    if (start) await board.startAgent();
    return board;
  }

  /** Starts the agent and waits until it says it is online with the state it has now. */
  async startAgent(...extra: string[]): Promise<void> {
    const seen = this.messages.length;
    this.spawnAgent(...extra);
    await this.until('the agent to be online', () =>
      this.messages
        .slice(seen)
        .some(({ topic, payload }) => topic === this.topic('presence') && payload.includes('"online"')),
    );
  }

  spawnAgent(...extra: string[]): ChildProcess {
    const log = openSync(join(this.#base, 'agent.log'), 'a');
    const flags = ['--device', this.device, '--broker', this.mosquitto.url, '--data-dir', this.dataDir];
    const [file = EDGEPOD, ...command] = [
      ...this.#through,
      EDGEPOD,
      'agent',
      ...flags,
      // The test machine's own shortages are nobody's business here.
      ...['--eviction-memory-available', '0', '--eviction-nodefs-available', '0', '--images-gc-high-percent', '100'],
      ...['--eviction-nodefs-inodes-free', '0', '--eviction-pid-available', '0'],
      ...['--run-dir', this.runDir, '--metrics-interval', '1', '--log-level', 'debug'],
      ...this.#settings,
      ...extra,
    ];
    this.agent = spawn(file, command, { stdio: ['ignore', log, log] });
    closeSync(log);
    return this.agent;
  }

  /** Ends the agent with `signal` and waits for it; resolves to its exit code, null when the signal ended it. */
  async stopAgent(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const agent = this.agent;
    this.agent = undefined;
    if (!agent || agent.exitCode !== null || agent.signalCode !== null) return agent?.exitCode ?? null;
    const { promise, resolve } = Promise.withResolvers<number | null>();
    agent.once('exit', (code) => resolve(code));
    agent.kill(signal);
    return promise;
  }

  topic(rest: string): string {
    return `edgepod/devices/${this.device}/${rest}`;
  }

  /** Publishes a manifest (object, text or bytes) as mosquitto_pub -r -q 1 would. */
  async desire(name: string, manifest: object | string | Uint8Array, namespace = 'default'): Promise<void> {
    const plain = typeof manifest === 'string' || manifest instanceof Uint8Array;
    const payload = plain ? Buffer.from(manifest as string) : JSON.stringify(manifest);
    await this.client.publishAsync(this.topic(`desired/pods/${namespace}/${name}`), payload, { qos: 1, retain: true });
  }

  /** Deletes by tombstone and waits until status and tombstone are cleared. */
  async undesire(name: string, namespace = 'default'): Promise<void> {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, deletionTimestamp: new Date().toISOString() },
    };
    const topic = this.topic(`desired/pods/${namespace}/${name}`);
    const before = this.topics.get(topic);
    const spec = before ? (JSON.parse(before.toString()) as { spec?: unknown }).spec : undefined;
    await this.desire(name, { ...pod, ...(spec !== undefined && { spec }) }, namespace);
    // A pod deleted before its first status has none to clear: the tombstone is what tells.
    const cleared = () => !this.topics.has(topic) && this.status(name, namespace) === undefined;
    await this.until(`pod ${name} to be gone`, cleared);
  }

  /** The pod as last reported. */
  status(name: string, namespace = 'default'): Pod | undefined {
    const payload = this.topics.get(this.topic(`status/pods/${namespace}/${name}`));
    return payload && (JSON.parse(payload.toString()) as Pod);
  }

  /** Waits until the reported pod satisfies `accept`; fails with the last report. */
  async pod(name: string, accept: (pod: Pod) => boolean, patienceMs = 20_000): Promise<Pod> {
    let last: Pod | undefined;
    await this.until(
      `pod ${name} to be as expected`,
      () => {
        last = this.status(name);
        return last !== undefined && accept(last);
      },
      patienceMs,
      () => JSON.stringify(last?.status, null, 1),
    );
    return last as Pod;
  }

  /** Waits for `condition`, looked at after every message and every 100 ms. */
  async until(what: string, condition: () => boolean, patienceMs = 20_000, detail = () => ''): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => {
      if (condition()) resolve();
    };
    const poll = setInterval(look, 100);
    const ms = patience(patienceMs);
    const timer = setTimeout(
      () => reject(new Error(`waited ${ms} ms for ${what}\n${detail()}\n${this.logTail()}`)),
      ms,
    );
    this.#waiting.add(look);
    look();
    await promise.finally(() => {
      clearInterval(poll);
      clearTimeout(timer);
      this.#waiting.delete(look);
    });
  }

  /** Runs one edgepod command against this board and broker. */
  async edgepod(args: string[], input?: string): Promise<CommandResult> {
    const child = spawn(EDGEPOD, args, {
      env: {
        ...process.env,
        EDGEPOD_BROKER: this.mosquitto.url,
        EDGEPOD_DATA_DIR: this.dataDir,
        EDGEPOD_RUN_DIR: this.runDir,
        XDG_CONFIG_HOME: this.#base,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.end(input ?? '');
    const { promise, resolve } = Promise.withResolvers<number>();
    child.once('exit', (code) => resolve(code ?? 1));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), promise]);
    return { code, stdout, stderr };
  }

  /** Loads an image archive; fails the test when that fails. */
  async load(archive: string): Promise<void> {
    const { code, stderr } = await this.edgepod(['image', 'load', archive]);
    if (code !== 0) throw new Error(`image load ${archive}: ${stderr}`);
  }

  logTail(lines = 25): string {
    return this.#log().trimEnd().split('\n').slice(-lines).join('\n');
  }

  #log(): string {
    try {
      return readFileSync(join(this.#base, 'agent.log'), 'utf8');
    } catch {
      return ''; // no agent was started yet
    }
  }

  /** Stops everything, pods included; returns what was left on the machine. */
  async close(): Promise<string[]> {
    await this.stopAgent('SIGTERM');
    // Pods outlive the agent: one more run with --drain takes them down.
    const starts = this.#log().split('"agent.ready"').length;
    this.spawnAgent('--drain');
    await this.until('the last agent to be ready', () => this.#log().split('"agent.ready"').length > starts);
    await this.stopAgent('SIGTERM');
    await this.client.endAsync(true);
    await this.mosquitto.stop();
    const left = await leakedSoon(this.#before);
    rmSync(this.#base, { recursive: true, force: true });
    rmSync(this.runDir, { recursive: true, force: true });
    return left;
  }
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = '';
  for await (const chunk of stream) all += String(chunk);
  return all;
}
