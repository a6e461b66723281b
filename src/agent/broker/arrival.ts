/** What came from the broker, once it is durable: pods, and whoever waits for an answer, are told. */
import type { Logger } from 'pino';
import type { IntakeResult } from '../../broker/inbox.ts';
import type { DesiredKey, Topics } from '../../broker/topics.ts';
import type { PodManager } from '../../pods/manager.ts';
import type { Store } from '../../store/store.ts';
import type { Reports } from './reports.ts';
import { buryTombstones } from './tombstones.ts';

export interface ArrivalContext {
  manager: PodManager;
  store: Store;
  topics: Topics;
  told: Reports;
  log: Logger;
}

/** To be called for everything the inbox took, refusals included. */
export function arrived(result: IntakeResult, context: ArrivalContext): void {
  const { action, key, errors, warnings, news, topic } = result;
  const { manager, log } = context;
  if (news) log.info({ event: 'intake', action, topic, errors, warnings }, `manifest ${action}`);
  if (key === undefined) return;
  const { kind, namespace, name } = key;
  if (kind !== 'pods') {
    if (news) dataArrived(result, { ...key, kind }, context);
    return;
  }
  if (action === 'rejected' || action === 'stale') manager.rejected(namespace, name, errors);
  else if (news) podWanted(namespace, name, context);
}

function podWanted(namespace: string, name: string, { manager, store, told }: ArrivalContext): void {
  manager.changed(namespace, name);
  if (store.objects.effectiveOne('pods', namespace, name) !== undefined) return;
  // Its topic was cleared while we listened, and nobody else wants it: the pod ends, a mere refusal is forgotten.
  if (manager.describe(namespace, name)) manager.remove(namespace, name);
  else told.clearStatus(namespace, name);
}

/**
 * There is no status topic for ConfigMaps and Secrets: a refusal is an event, as is everything else that happens to
 * objects nobody waits for.
 */
function dataArrived(
  { action, errors }: IntakeResult,
  { kind, namespace, name }: DesiredKey & { kind: 'configmaps' | 'secrets' },
  { manager, store, topics, told }: ArrivalContext,
): void {
  if (action === 'rejected' || action === 'stale') {
    const message = errors.map(({ path, reason }) => (path ? `${path}: ${reason}` : reason)).join('; ');
    told.recordObjectEvent({ kind, namespace, name, reason: 'InvalidObject', message });
    return;
  }
  // Carried out at once: nothing has to end first.
  buryTombstones({ store, topics }, kind, namespace, name);
  manager.objectChanged(kind, namespace, name);
}
