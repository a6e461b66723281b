/** What every other part of the agent stands on: settings, clocks, the board as it is known at once, database and topics. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { Topics } from '../broker/topics.ts';
import { type BoardFacts, quickFacts } from '../node/facts.ts';
import type { Clock } from '../pods/ports.ts';
import { type InstanceNames, instanceNames } from '../runtime/instance.ts';
import type { Native } from '../runtime/native.ts';
import { openStore, type Store } from '../store/store.ts';
import { RecentEvents } from './broker/recent-events.ts';
import { type Reports, reports } from './broker/reports.ts';
import type { AgentConfig } from './config/config.ts';
import { systemClock } from './process/clock.ts';

export interface Foundation {
  config: AgentConfig;
  native: Native;
  /** What this instance calls its cgroups, bridge and rules. */
  names: InstanceNames;
  clock: Clock;
  /** Wall clock. */
  now: () => Date;
  facts: BoardFacts;
  store: Store;
  topics: Topics;
  recent: RecentEvents;
  told: Reports;
  log: Logger;
}

/** Opens the database; nothing of the board is changed. @throws StoreError */
export function layFoundation(config: AgentConfig, log: Logger, native: Native): Foundation {
  const { dataDir, device, prefix, groups } = config;
  const clock = systemClock();
  const now = () => clock.now();
  const facts = quickFacts();
  const store = openStore(join(dataDir, 'edgepod.db'), { log, now });
  store.objects.keepGroups(groups);
  const topics = new Topics({ prefix, device, groups });
  const recent = new RecentEvents();
  const told = reports({ outbox: store.outbox, topics, bootId: facts.bootId, now, recent });
  return { config, native, names: instanceNames(dataDir), clock, now, facts, store, topics, recent, told, log };
}
