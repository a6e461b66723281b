/** What the agent tells the broker about pods: retained statuses and events, through the outbox. */
import type { Topics } from '../../broker/topics.ts';
import type { PodEvent, PublishedPod } from '../../pods/types.ts';
import type { OutboxTable } from '../../store/outbox.ts';
import type { RecentEvents } from './recent-events.ts';

export interface Reports {
  publishStatus(pod: PublishedPod): void;
  clearStatus(namespace: string, name: string): void;
  recordEvent(event: PodEvent): void;
  /** A warning about a ConfigMap or Secret. */
  recordObjectEvent(event: ObjectEvent): void;
  /** A warning about the board. */
  recordNodeEvent(reason: string, message: string): void;
}

export interface ObjectEvent {
  kind: 'configmaps' | 'secrets';
  namespace: string;
  name: string;
  reason: string;
  message: string;
}

interface ReportsOptions {
  outbox: OutboxTable;
  topics: Topics;
  bootId: string;
  now: () => Date;
  recent: RecentEvents;
}

export function reports({ outbox, topics, bootId, now, recent }: ReportsOptions): Reports {
  const addEvent = (event: EventText, involved: InvolvedObject) =>
    outbox.addEvent(topics.events, (seq) => {
      const body = JSON.stringify(kubernetesEvent(event, involved, { seq, bootId, now: now(), topics }));
      recent.add(body);
      return body;
    });
  return {
    publishStatus: (pod) => {
      const { namespace, name } = pod.metadata;
      outbox.putRetained(topics.podStatus(namespace, name), JSON.stringify(pod));
    },
    clearStatus: (namespace, name) => {
      outbox.putRetained(topics.podStatus(namespace, name), '');
    },
    recordEvent: (event) => addEvent(event, podObject(event)),
    recordNodeEvent: (reason, message) => {
      const involved = { apiVersion: 'v1', kind: 'Node', namespace: 'default', name: topics.device };
      addEvent({ type: 'Warning', reason, message, count: 1 }, involved);
    },
    recordObjectEvent: ({ kind, namespace, name, reason, message }) => {
      const involved = { apiVersion: 'v1', kind: kind === 'secrets' ? 'Secret' : 'ConfigMap', namespace, name };
      addEvent({ type: 'Warning', reason, message, count: 1 }, involved);
    },
  };
}

type EventText = Pick<PodEvent, 'type' | 'reason' | 'message' | 'count'>;

interface EventContext {
  seq: number;
  bootId: string;
  now: Date;
  topics: Topics;
}

interface InvolvedObject {
  apiVersion: string;
  kind: string;
  namespace: string;
  name: string;
  uid?: string;
  fieldPath?: string;
}

function podObject({ pod: { namespace, name, uid }, container }: PodEvent): InvolvedObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    namespace,
    name,
    ...(uid !== undefined && { uid }),
    ...(container !== undefined && { fieldPath: `spec.containers{${container}}` }),
  };
}

/** A v1 Event, plus `bootId` and `seq`, by which a receiver sees a gap. */
function kubernetesEvent(
  { type, reason, message, count }: EventText,
  involvedObject: InvolvedObject,
  { seq, bootId, now, topics }: EventContext,
): object {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${involvedObject.name}.${seq.toString(16)}`, namespace: involvedObject.namespace },
    involvedObject,
    type,
    reason,
    message,
    count,
    lastTimestamp: now.toISOString(),
    source: { component: 'edgepod', host: topics.device },
    bootId,
    seq,
  };
}
