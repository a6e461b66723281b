/** What the agent tells the broker about pods: retained statuses and events, through the outbox. */
import type { Topics } from '../broker/topics.ts';
import type { PodEvent, PublishedPod } from '../pods/types.ts';
import type { OutboxTable } from '../store/outbox.ts';

export interface Reports {
  publishStatus(pod: PublishedPod): void;
  clearStatus(namespace: string, name: string): void;
  recordEvent(event: PodEvent): void;
}

interface ReportsOptions {
  outbox: OutboxTable;
  topics: Topics;
  bootId: string;
  now: () => Date;
}

export function reports({ outbox, topics, bootId, now }: ReportsOptions): Reports {
  return {
    publishStatus: (pod) => {
      const { namespace, name } = pod.metadata;
      outbox.putRetained(topics.podStatus(namespace, name), JSON.stringify(pod));
    },
    clearStatus: (namespace, name) => {
      outbox.putRetained(topics.podStatus(namespace, name), '');
    },
    recordEvent: (event) => {
      outbox.addEvent(topics.events, (seq) =>
        JSON.stringify(kubernetesEvent(event, { seq, bootId, now: now(), topics })),
      );
    },
  };
}

interface EventContext {
  seq: number;
  bootId: string;
  now: Date;
  topics: Topics;
}

/** A v1 Event, plus `bootId` and `seq`, by which a receiver sees a gap. */
function kubernetesEvent({ type, reason, message, pod, container, count }: PodEvent, context: EventContext): object {
  const { seq, bootId, now, topics } = context;
  const time = now.toISOString();
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${pod.name}.${seq.toString(16)}`, namespace: pod.namespace },
    involvedObject: {
      apiVersion: 'v1',
      kind: 'Pod',
      namespace: pod.namespace,
      name: pod.name,
      ...(pod.uid !== undefined && { uid: pod.uid }),
      ...(container !== undefined && { fieldPath: `spec.containers{${container}}` }),
    },
    type,
    reason,
    message,
    count,
    lastTimestamp: time,
    source: { component: 'edgepod', host: topics.device },
    bootId,
    seq,
  };
}
