/** The broker side of the agent: session, inbox, outbox pump, calls. */
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import type { BrokerAccess } from '../../broker/client-options.ts';
import { Inbox, type IntakeResult } from '../../broker/inbox.ts';
import { OutboxPump } from '../../broker/outbox-pump.ts';
import { RpcServer } from '../../broker/rpc.ts';
import { BrokerSession } from '../../broker/session.ts';
import type { Topics } from '../../broker/topics.ts';
import type { Store } from '../../store/store.ts';
import { SESSION_COUNTER } from '../../store/store.ts';
import { type AgentConfig, ConfigError } from '../config/config.ts';
import { VERSION } from '../process/version.ts';
import { admission } from './admission.ts';
import { smallerStatus } from './smaller-status.ts';

export interface BrokerParts {
  session: BrokerSession;
  pump: OutboxPump;
  rpc: RpcServer;
}

interface BrokerInput {
  config: AgentConfig;
  topics: Topics;
  store: Store;
  bootId: string;
  onIntake: (result: IntakeResult) => void;
  log: Logger;
}

/** Builds the parts; nothing connects before `session.start()`. */
export function buildBroker({ config, topics, store, bootId, onIntake, log }: BrokerInput): BrokerParts {
  const digest = (content: string | Uint8Array) => store.seal.digest(content);
  const inbox = new Inbox({
    topics,
    objects: store.objects,
    admit: admission(digest),
    payloadDigest: (kind, payload) => (kind === 'secrets' ? digest(payload) : undefined),
    onResult: onIntake,
    log,
  });
  const session = new BrokerSession({
    access: brokerAccess(config),
    identity: { bootId, agentVersion: VERSION },
    presenceTopic: topics.presence,
    nextSession: () => store.meta.increment(SESSION_COUNTER),
    log,
  });
  const rpc = new RpcServer({ topics, link: session, log });
  session.addRoute(inbox);
  session.addRoute(rpc);
  const pump = new OutboxPump({ outbox: store.outbox, link: session, log, truncate: (_, body) => smallerStatus(body) });
  store.outbox.onPending(() => pump.wake());
  session.addListener({
    // A broker that remembers no session may have lost what it retained as well (a restart without persistence).
    connected: ({ sessionPresent }) => {
      if (!sessionPresent) store.outbox.republish();
    },
  });
  session.addListener(pump);
  session.addListener(rpc);
  return { session, pump, rpc };
}

function brokerAccess({ broker, device, prefix }: AgentConfig): BrokerAccess {
  const { url, username, password, passwordFile, caFile, certFile, keyFile } = broker;
  const file = (key: string, path: string) => {
    try {
      return readFileSync(path);
    } catch (error) {
      throw new ConfigError(`broker.${key}: ${(error as Error).message}`);
    }
  };
  const secret = passwordFile === undefined ? password : file('passwordFile', passwordFile).toString('utf8').trimEnd();
  return {
    url,
    clientId: `${prefix}-${device}`,
    ...(username !== undefined && { username }),
    ...(secret !== undefined && { password: secret }),
    ...(caFile !== undefined && { ca: file('caFile', caFile) }),
    ...(certFile !== undefined && { cert: file('certFile', certFile) }),
    ...(keyFile !== undefined && { key: file('keyFile', keyFile) }),
  };
}
