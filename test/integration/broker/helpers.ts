import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import { type Device, type DeviceOptions, startDevice } from './device.ts';

/** How long a test waits for something that must happen. Generous: the machine may be busy. */
const PATIENCE_MS = 60_000;

/** Waits until `check` gives something true; fails with `what` after a minute. */
export async function eventually<T>(what: string, check: () => T | Promise<T>): Promise<NonNullable<T>> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const value = await check();
    if (value) return value as NonNullable<T>;
    if (performance.now() > deadline) throw new Error(`did not happen: ${what}`);
    await sleep(20);
  }
}

export function tempDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'edgepod-broker-test-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A device in this process, stopped after the test. */
export function device(t: TestContext, options: DeviceOptions): Device {
  const started = startDevice(options);
  t.after(() => started.stop());
  return started;
}

export interface Seen {
  topic: string;
  text: string;
  retain: boolean;
  packet: IPublishPacket;
}

export interface Operator {
  client: MqttClient;
  /** Everything received, in order. */
  seen: Seen[];
  /** Newest text of a topic. */
  last(topic: string): string | undefined;
  publish(topic: string, text: string | Buffer, options?: { retain?: boolean; qos?: 0 | 1 }): Promise<void>;
}

/** A plain MQTT client, subscribed to `filters`, closed after the test. */
export async function operator(t: TestContext, url: string, filters: string[], options: IClientOptions = {}) {
  const client = await mqtt.connectAsync(url, {
    protocolVersion: 5,
    reconnectPeriod: 200,
    writeCache: false,
    ...options,
  });
  t.after(() => client.endAsync(true));
  client.on('error', () => {});
  const seen: Seen[] = [];
  client.on('message', (topic, payload, packet) => {
    seen.push({ topic, text: payload.toString(), retain: packet.retain, packet });
  });
  if (filters.length > 0) await client.subscribeAsync(filters, { qos: 1 });
  const made: Operator = {
    client,
    seen,
    last: (topic) => seen.findLast((message) => message.topic === topic)?.text,
    publish: async (topic, text, { retain = false, qos = 1 } = {}) => {
      await client.publishAsync(topic, text, { qos, retain });
    },
  };
  return made;
}

export interface Child {
  process: ChildProcess;
  lines: Record<string, unknown>[];
  /** Resolves when the process has ended, with the signal that ended it. */
  ended: Promise<string | null>;
}

/** A device in a process of its own. */
export function childDevice(t: TestContext, config: object): Child {
  const script = join(import.meta.dirname, 'device-child.ts');
  const child = spawn(process.execPath, [script, JSON.stringify(config)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit').then(([, signal]) => signal as string | null);
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on('line', (line) =>
    lines.push(JSON.parse(line) as Record<string, unknown>),
  );
  return { process: child, lines, ended };
}
