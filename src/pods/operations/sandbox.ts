/** Building, following and taking down a pod's sandbox. */
import { loseAll, mapHistories } from '../adoption/adoption.ts';
import { nextRetry } from '../backoff.ts';
import { allocationOf } from '../changes/resize.ts';
import { failureMessage } from '../failures.ts';
import { attemptPhase, launch, unlaunch } from '../history.ts';
import type { Sandbox } from '../ports.ts';
import { historyOf, runOf } from '../state.ts';
import { limitsText } from '../status/limit-notes.ts';
import type { Incarnation } from '../worker/incarnation.ts';
import { missingClusterDns } from './cluster-dns.ts';
import { prepareContainers } from './container-spec.ts';
import { followEvents } from './events.ts';
import { namesOf } from './hostname.ts';
import { launchFacts } from './launch.ts';
import { sandboxSpec } from './sandbox-spec.ts';

/**
 * The address, the launches and the sandbox's number are made durable in one write, then the sandbox is built. When
 * any of it fails nothing of it stays: not the sandbox, not the launches.
 */
export const createSandbox = (pod: Incarnation, launching: string[]): void => {
  const { state } = pod;
  state.sandbox = { ...state.sandbox, phase: 'creating' };
  pod.operate(async () => {
    const attempt = pod.record.sandboxes;
    try {
      commitLaunch(pod, launching);
      const sandbox = await build(pod, attempt, launching);
      state.sandbox = { phase: 'ready' };
      attach(pod, sandbox);
      // Only with its first sandbox: once in the life of a pod.
      const noDns = attempt === 0 ? missingClusterDns(pod.record) : undefined;
      if (noDns) pod.event('Warning', 'MissingClusterDNS', noDns);
      if (sandbox.notes?.length) pod.event('Warning', 'LimitsNotApplied', limitsText('pod', sandbox.notes));
    } catch (error) {
      pod.record = { ...pod.record, sandboxes: attempt };
      takeBackLaunches(pod);
      pod.saver.mark();
      const { namespace, name } = pod.record;
      const message = failureMessage(error, { namespace, pod: name });
      const retry = nextRetry(state.sandbox.retry, pod.now());
      state.sandbox = { phase: 'absent', failure: { reason: 'FailedCreatePodSandBox', message }, retry };
      pod.event('Warning', 'FailedCreatePodSandBox', message);
    }
  });
};

const commitLaunch = (pod: Incarnation, launching: string[]): void => {
  const { parts } = pod;
  parts.atomically(() => {
    const { hostNetwork } = pod.record.pod.spec;
    const address = hostNetwork ? {} : { ip: parts.leases.lease(pod.record.uid) };
    const containers = mapHistories(pod.record, (history, name) =>
      launching.includes(name) ? launch(history, launchFacts(pod.record, name, pod.record.sandboxes)) : history,
    );
    const given = allocationOf(pod.record.pod.spec);
    pod.record = { ...pod.record, ...address, containers, given, sandboxes: pod.record.sandboxes + 1 };
    pod.saver.save();
  });
};

const build = async (pod: Incarnation, attempt: number, launching: string[]): Promise<Sandbox> => {
  const { parts, record } = pod;
  const spec = sandboxSpec(pod, attempt);
  const input = {
    pod: record.pod,
    ...namesOf(record.pod, parts.node.name),
    ...(spec.ip !== undefined && { podIP: spec.ip }),
  };
  // All of it is over when this is: the pod may be cleaned away then.
  const [created, files] = await Promise.allSettled([
    parts.runtime.create(spec),
    parts.files.writeIdentity(record.uid, parts.identityFiles(input)),
    prepareContainers(pod, launching),
  ]);
  if (created.status === 'rejected') throw created.reason;
  if (files.status === 'rejected') {
    await created.value.destroy();
    throw files.reason;
  }
  return created.value;
};

/** Takes a live sandbox into care, newly built or found running. */
export const attach = (pod: Incarnation, sandbox: Sandbox): void => {
  pod.sandbox = sandbox;
  pod.state.sandbox = { phase: 'ready' };
  pod.state.notes = sandbox.notes ?? [];
  for (const { name, exit } of sandbox.containers()) {
    const run = pod.state.containers.get(name);
    if (run && exit) run.residue = true;
  }
  followEvents(pod, sandbox);
};

/** Kills what is left and removes the sandbox; containers whose end nobody saw become ContainerStatusUnknown. */
export const destroySandbox = (pod: Incarnation): void => {
  const { state, sandbox } = pod;
  const before = state.sandbox;
  state.sandbox = { ...before, phase: 'destroying' };
  pod.operate(async () => {
    try {
      await sandbox?.destroy();
    } catch (error) {
      const { namespace, name } = pod.record;
      pod.event('Warning', 'FailedKillPod', failureMessage(error, { namespace, pod: name }));
      state.sandbox = { ...before, phase: 'lost', retry: nextRetry(before.retry, pod.now()) };
      return;
    }
    pod.sandbox = undefined;
    state.sandbox = { phase: 'absent' };
    state.volumes = { phase: 'idle' };
    state.notes = [];
    state.resize = { phase: 'idle' };
    takeBackLaunches(pod);
    const why = before.failure?.message ?? 'its sandbox was taken down';
    pod.record = loseAll(
      pod.record,
      { message: `The container was not seen to end: ${why}`, rebooted: false },
      pod.moment(),
    );
    pod.saver.mark();
    for (const run of state.containers.values()) {
      run.residue = false;
      delete run.stopping;
      delete run.health;
    }
  });
};

/** Launches the runner was never asked for are free again. */
const takeBackLaunches = (pod: Incarnation): void => {
  for (const name of pod.state.containers.keys()) {
    const pending = attemptPhase(historyOf(pod.record, name)) === 'launched' && !runOf(pod.state, name).starting;
    if (pending) pod.change(name, unlaunch);
  }
};
