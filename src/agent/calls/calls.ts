/** What operators can call on this device (`D/rpc/<method>`). */
import type { Logger } from 'pino';
import type { RpcServer } from '../../broker/rpc.ts';
import type { PodManager } from '../../pods/manager.ts';
import type { RecentEvents } from '../broker/recent-events.ts';
import { events } from './events.ts';
import { exec } from './exec.ts';
import { logs } from './logs.ts';
import { restart } from './restart.ts';

export interface CallParts {
  manager: PodManager;
  recent: RecentEvents;
  /** The body of the metrics topic, read now, and `monotonicMs`. */
  metrics: () => Promise<object>;
  /** Whether operators may run commands in containers. */
  remoteExec: boolean;
  log: Logger;
}

export function registerCalls(rpc: RpcServer, { manager, recent, metrics, remoteExec, log }: CallParts): void {
  rpc.register('logs', (params, context) => logs(manager, params, context));
  rpc.register('exec', (params, context) => exec({ manager, allowed: remoteExec, log }, params, context));
  rpc.register('events', (params, context) => events(recent, params, context));
  rpc.register('metrics', () => metrics());
  rpc.register('restart', (params) => restart({ manager, log }, params));
}
