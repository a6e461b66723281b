/** The broker part of an agent with a real store, for tests in and out of this process. */
import { createHash } from 'node:crypto';
import { Inbox, type IntakeResult } from '../../../src/broker/inbox.ts';
import type { Admission } from '../../../src/broker/intake.ts';
import { OutboxPump, type PumpMessage } from '../../../src/broker/outbox-pump.ts';
import type { ConnectionInfo } from '../../../src/broker/ports.ts';
import { RpcServer } from '../../../src/broker/rpc.ts';
import { BrokerSession, type SessionOptions } from '../../../src/broker/session.ts';
import { Topics } from '../../../src/broker/topics.ts';
import { parseManifestSync } from '../../../src/manifest/parse.ts';
import { openStore, SESSION_COUNTER, type Store } from '../../../src/store/store.ts';
import { memoryLog } from '../../unit/store/temp-store.ts';

export interface DeviceOptions {
  url: string;
  database: string;
  device?: string;
  groups?: string[];
  access?: Partial<SessionOptions['access']>;
  limits?: SessionOptions['limits'];
  /** Called between a manifest's parsing and its commit. */
  beforeCommit?: () => void;
  /** Called after a manifest's commit, before its PUBACK. */
  onResult?: (result: IntakeResult) => void;
  eventLimit?: number;
}

export interface Device {
  store: Store;
  topics: Topics;
  session: BrokerSession;
  pump: OutboxPump;
  rpc: RpcServer;
  results: IntakeResult[];
  connections: ConnectionInfo[];
  dropped: PumpMessage[];
  log: ReturnType<typeof memoryLog>;
  stop(): Promise<void>;
}

export function startDevice(options: DeviceOptions): Device {
  const { url, database, device = 'board-7', groups = [], eventLimit = 1000 } = options;
  const log = memoryLog();
  const store = openStore(database, { log, now: () => new Date(), eventLimit });
  const topics = new Topics({ device, groups });
  const session = new BrokerSession({
    access: { url, clientId: device, ...options.access },
    identity: { bootId: 'boot-1', agentVersion: '0.0.0' },
    presenceTopic: topics.presence,
    nextSession: () => store.meta.increment(SESSION_COUNTER),
    log,
    limits: { willDelaySeconds: 0, ...options.limits },
    // Half of every back-off step: tests wait for what happens, but need not wait long.
    random: () => 0.2,
  });
  const results: IntakeResult[] = [];
  const connections: ConnectionInfo[] = [];
  const dropped: PumpMessage[] = [];
  const inbox = new Inbox({
    topics,
    objects: store.objects,
    log,
    admit: (_kind, bytes) => {
      const admission = admit(bytes);
      if (!('errors' in admission)) options.beforeCommit?.();
      return admission;
    },
    onResult: (result) => {
      results.push(result);
      options.onResult?.(result);
    },
  });
  const pump = new OutboxPump({ outbox: store.outbox, link: session, log, onDropped: (m) => dropped.push(m) });
  const rpc = new RpcServer({ topics, link: session, log });
  session.addRoute(inbox);
  session.addRoute(rpc);
  session.addListener({ connected: (info) => connections.push(info) });
  session.addListener(pump);
  session.addListener(rpc);
  store.outbox.onPending(() => pump.wake());
  session.start();
  const stop = async () => {
    await session.stop();
    store.close();
  };
  return { store, topics, session, pump, rpc, results, connections, dropped, log, stop };
}

/** The real parser; of validation only what the inbox looks at. */
function admit(bytes: Uint8Array): Admission {
  const parsed = parseManifestSync(bytes);
  if ('errors' in parsed) return parsed;
  const [object] = parsed.objects as {
    metadata?: { name?: string; generation?: number; deletionTimestamp?: string };
  }[];
  const { metadata } = object ?? {};
  if (parsed.objects.length !== 1 || typeof metadata?.name !== 'string') {
    return { errors: [{ path: 'metadata.name', reason: 'required' }] };
  }
  const { generation, deletionTimestamp } = metadata;
  const digest = createHash('sha256').update(bytes).digest('hex');
  return {
    object: object as { metadata: { name: string } },
    digests: { spec: digest, manifest: digest },
    warnings: [],
    ...(generation !== undefined && { generation }),
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
  };
}

/** A manifest of that name; `filler` makes two of them differ. */
export function manifest(name: string, filler = '', metadata: object = {}): string {
  const spec = { containers: [{ name: 'c', image: 'busybox', args: [filler] }] };
  return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec });
}
