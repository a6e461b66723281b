/** Records and sandbox labels written by an older agent, completed to what this one expects. Pure. */
import { allContainers } from '../../manifest/containers.ts';
import type { Container } from '../../manifest/types/container.ts';
import type { PodSpec } from '../../manifest/types/pod.ts';
import { newHistory } from '../history.ts';
import type { PodRecord } from '../types.ts';

/** Fields that came later; what they stand for when absent is what that agent did. */
type Stored<T, Later extends keyof T> = Omit<T, Later> & Partial<T>;
export type StoredSpec = Stored<PodSpec, Exclude<keyof PodSpec, 'containers' | 'restartPolicy'>>;
export type StoredRecord = Stored<PodRecord, 'active'>;

export const upgradedSpec = (stored: StoredSpec): PodSpec => ({
  terminationGracePeriodSeconds: 30,
  volumes: [],
  hostNetwork: false,
  hostPID: false,
  hostIPC: false,
  hostUsers: true,
  shareProcessNamespace: false,
  setHostnameAsFQDN: false,
  hostAliases: [],
  dnsPolicy: 'ClusterFirst',
  priority: 0,
  readinessGates: [],
  ...stored,
  containers: stored.containers.map(upgradedContainer),
  initContainers: (stored.initContainers ?? []).map(upgradedContainer),
});

const upgradedContainer = (stored: Container): Container => ({
  ...{ envFrom: [], resizePolicy: [], restartPolicyRules: [] },
  ...{ terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' },
  ...stored,
});

/** `mono`: monotonic ms, from which what was not timed before counts. */
export const upgraded = (record: StoredRecord, mono: number): PodRecord => {
  const spec = upgradedSpec(record.pod.spec);
  const missing = allContainers(spec).map(({ name }) => [name, record.containers[name] ?? newHistory()]);
  return {
    ...record,
    pod: { ...record.pod, spec },
    containers: Object.fromEntries(missing),
    active: record.active ?? { beforeMs: 0, sinceMono: mono },
    ...(record.deleting && { deleting: { ...record.deleting, sinceMono: record.deleting.sinceMono ?? mono } }),
  };
};
