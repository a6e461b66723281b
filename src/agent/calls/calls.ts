/** What operators can call on this device (`D/rpc/<method>`). */
import type { Logger } from 'pino';
import type { RpcServer } from '../../broker/rpc.ts';
import type { PodManager } from '../../pods/manager.ts';
import { exec } from './exec.ts';
import { logs } from './logs.ts';
import { restart } from './restart.ts';

export interface CallParts {
  manager: PodManager;
  /** Whether operators may run commands in containers. */
  remoteExec: boolean;
  log: Logger;
}

export function registerCalls(rpc: RpcServer, { manager, remoteExec, log }: CallParts): void {
  rpc.register('logs', (params, { signal }) => logs(manager, params, signal));
  rpc.register('exec', (params, context) => exec({ manager, allowed: remoteExec, log }, params, context));
  rpc.register('restart', (params) => restart({ manager, log }, params));
}
