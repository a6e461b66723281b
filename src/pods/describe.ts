/** A pod as local commands, device calls and metrics want it. */
import { allContainers } from '../manifest/containers.ts';
import { logPath } from './files/paths.ts';
import { attemptPhase } from './history.ts';
import { historyOf } from './state.ts';
import { publishedPod } from './status/pod-status.ts';
import type { PublishedPod } from './types.ts';
import type { Incarnation } from './worker/incarnation.ts';

export interface ContainerDescription {
  name: string;
  /** -1 if it was never started. */
  attempt: number;
  /** Only while it runs. */
  pid?: number;
  /** `<root>/pod<uid>/<name>` in every cgroup hierarchy. */
  cgroup: string;
  /** Of the newest attempt, and of the one before if there was one. */
  logPath?: string;
  previousLogPath?: string;
}

export interface PodDescription {
  uid: string;
  namespace: string;
  name: string;
  pod: PublishedPod;
  /** `<root>/pod<uid>`; there while the sandbox is. */
  cgroup: string;
  sandbox?: { infraPid: number; startedAt: string; attempt: number };
  containers: ContainerDescription[];
}

export const describePod = (incarnation: Incarnation): PodDescription => {
  const { record, sandbox, parts, state } = incarnation;
  const cgroup = `${parts.cgroupRoot}/pod${record.uid}`;
  const pids = new Map(sandbox?.containers().map(({ name, pid, exit }) => [name, exit ? undefined : pid]));
  const containers = allContainers(record.pod.spec).map(({ name }): ContainerDescription => {
    const history = historyOf(record, name);
    const attempt = history.launched;
    const pid = attemptPhase(history) === 'running' ? pids.get(name) : undefined;
    return {
      name,
      attempt,
      ...(pid !== undefined && { pid }),
      cgroup: `${cgroup}/${name}`,
      ...(attempt >= 0 && { logPath: logPath(parts.paths, record, name, attempt) }),
      ...(attempt >= 1 && { previousLogPath: logPath(parts.paths, record, name, attempt - 1) }),
    };
  });
  const { infraPid, startedAt, spec } = sandbox ?? {};
  return {
    uid: record.uid,
    namespace: record.namespace,
    name: record.name,
    pod: publishedPod(state, { hostIP: parts.node.hostIP(), now: parts.clock.now() }),
    cgroup,
    ...(infraPid !== undefined &&
      startedAt !== undefined &&
      spec && { sandbox: { infraPid, startedAt, attempt: spec.attempt } }),
    containers,
  };
};
