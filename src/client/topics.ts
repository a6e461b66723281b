/** The topics an operator reads and writes (MQTT contract in ARCHITECTURE.md). */

/** What devices, groups, namespaces and objects may be called: one level of a topic, and never a wildcard. */
export const LEVEL_NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

export type DesiredKind = 'pods' | 'configmaps' | 'secrets';

export function desiredTopic(prefix: string, device: string, kind: DesiredKind, namespace: string, name: string) {
  return `${prefix}/devices/${device}/desired/${kind}/${namespace}/${name}`;
}

/** `+` as device, namespace or name makes it a filter. */
export function podStatusTopic(prefix: string, device: string, namespace: string, name: string) {
  return `${prefix}/devices/${device}/status/pods/${namespace}/${name}`;
}

export function deviceTopic(prefix: string, device: string, what: 'node' | 'presence' | 'metrics' | 'events') {
  return `${prefix}/devices/${device}/${what}`;
}

export function rpcTopic(prefix: string, device: string, method: string) {
  return `${prefix}/devices/${device}/rpc/${method}`;
}

/** A topic only this client uses: replies and markers. */
export function ownTopic(prefix: string, clientId: string, what: string) {
  return `${prefix}/clients/${clientId}/${what}`;
}

/** The device part of any device topic. */
export function deviceOf(prefix: string, topic: string): string {
  return topic.slice(prefix.length + '/devices/'.length).split('/', 1)[0] ?? '';
}

/** Whether a filter takes a topic. The filters of an operator know `+` only. */
export function takes(filter: string, topic: string): boolean {
  const want = filter.split('/');
  const have = topic.split('/');
  return want.length === have.length && want.every((level, i) => level === '+' || level === have[i]);
}
