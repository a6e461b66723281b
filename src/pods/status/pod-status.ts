/** The Pod object as it is published, and what is published for a manifest that was refused. Pure. */
import { allContainers } from '../../manifest/containers.ts';
import { qosClass } from '../../manifest/qos.ts';
import type { FieldError } from '../../manifest/types/field-error.ts';
import type { PodCondition, PodStatus } from '../../manifest/types/status.ts';
import { isGiven, resizeOf } from '../changes/resize.ts';
import { historyOf, isRunning, type PodState } from '../state.ts';
import type { DesiredPod, PodRecord, PublishedPod } from '../types.ts';
import { podConditions } from './conditions.ts';
import { containerStatus } from './container-status.ts';
import { initStatus } from './init-status.ts';
import { missingLimits } from './limit-notes.ts';
import { podPhase } from './phase.ts';
import { rfc3339 } from './rfc3339.ts';

/** The whole object: spec and metadata of the incarnation, its uid, and the status as kubectl shows it. */
export const publishedPod = (
  state: PodState,
  options: { hostIP?: string | undefined; now: Date; errors?: FieldError[] | undefined },
): PublishedPod => {
  const { record } = state;
  const { apiVersion, kind, metadata, spec } = record.pod;
  return {
    apiVersion,
    kind,
    metadata: {
      ...metadata,
      uid: record.uid,
      creationTimestamp: record.createdAt,
      ...(record.deleting && {
        deletionTimestamp: record.deleting.deletionTimestamp,
        deletionGracePeriodSeconds: record.deleting.graceSeconds,
      }),
    },
    spec: record.resize?.spec ?? spec,
    status: podStatus(state, options),
  };
};

/** `status` alone. Equal inputs give equal results, except for `lastTransitionTime` of a condition that changed. */
export const podStatus = (
  state: PodState,
  { hostIP, now, errors }: { hostIP?: string | undefined; now: Date; errors?: FieldError[] | undefined },
): PodStatus => {
  const { record } = state;
  const { spec } = record.pod;
  const refused = record.outcome?.refused === true;
  const init = initStatus(state);
  const { initialized } = init;
  const phase = podPhase(state, { initialized });
  const mustWait = !initialized;
  const containerStatuses = refused ? [] : spec.containers.map((c) => containerStatus(state, c, { mustWait }));
  const sidecars = init.statuses.filter((_, index) => spec.initContainers[index]?.restartPolicy === 'Always');
  const conditions = podConditions({
    phase,
    sandboxReady: state.sandbox.phase === 'ready' && !record.outcome,
    refused,
    sandboxFailure: state.sandbox.failure ?? state.volumes.failure,
    initialized,
    incomplete: init.incomplete,
    containers: [...sidecars, ...containerStatuses],
    gates: spec.readinessGates.map(({ conditionType }) => conditionType),
    missingLimits: missingLimits(state),
    disrupted: record.evicted?.forNode ? record.evicted.message : undefined,
    resizePending: record.resize && { reason: record.resize.reason, message: record.resize.message },
    resizing: resizing(state),
    generation: record.generation,
    previous: record.conditions,
    now: rfc3339(now),
  });
  return {
    ...(record.generation !== undefined && { observedGeneration: record.generation }),
    phase,
    conditions,
    ...(record.outcome?.message !== undefined && { message: record.outcome.message }),
    ...(record.outcome?.reason !== undefined && { reason: record.outcome.reason }),
    ...(hostIP !== undefined && { hostIP, hostIPs: [{ ip: hostIP }] }),
    ...podAddress(record, hostIP),
    startTime: record.createdAt,
    ...(spec.initContainers.length > 0 && !refused && { initContainerStatuses: init.statuses }),
    containerStatuses,
    ...ephemeralStatuses(state),
    qosClass: qosClass(record.pod),
    ...ownResources(record),
    ...(errors && errors.length > 0 && { errors }),
  };
};

/** They are neither ready nor started: nothing waits for them. */
const ephemeralStatuses = (state: PodState): Pick<PodStatus, 'ephemeralContainerStatuses'> => {
  const { ephemeralContainers = [] } = state.record.pod.spec;
  if (ephemeralContainers.length === 0 || state.record.outcome?.refused) return {};
  return {
    ephemeralContainerStatuses: ephemeralContainers.map((container) => {
      const { started: _, ...status } = containerStatus(state, container);
      return { ...status, ready: false };
    }),
  };
};

/** Of a pod with amounts of its own, as for containers. */
const ownResources = ({ pod, given }: PodRecord): Pick<PodStatus, 'allocatedResources' | 'resources'> => {
  const { resources } = pod.spec;
  if (resources === undefined) return {};
  return {
    ...(resources.requests && { allocatedResources: resources.requests }),
    ...(given && { resources: given.pod }),
  };
};

/** Whether a running container is still to be given the figures its spec has now, and what went wrong with it. */
const resizing = (state: PodState): { reason?: string; message?: string } | undefined => {
  const { spec } = state.record.pod;
  const running = allContainers(spec).filter(({ name }) => isRunning(state, name));
  const pending = running.some((container) => resizeOf(container, historyOf(state.record, container.name)) !== 'none');
  if (!pending && (running.length === 0 || isGiven(state.record))) return undefined;
  return state.resize.failure ?? {};
};

/** The pod's own address, or the node's for a pod in the node's network. */
const podAddress = (record: PodRecord, hostIP: string | undefined): Pick<PodStatus, 'podIP' | 'podIPs'> => {
  const ip = record.pod.spec.hostNetwork ? (record.sandboxes > 0 ? hostIP : undefined) : record.ip;
  return ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] };
};

/**
 * The answer to a manifest that was refused. A good version that still runs stays what is reported, with the errors
 * of the refused one beside it; without one the pod has failed before it began.
 */
export const rejectedStatus = (
  namespace: string,
  name: string,
  errors: FieldError[],
  lastGood?: PublishedPod,
): PublishedPod => {
  if (lastGood) return { ...lastGood, status: { ...lastGood.status, errors } };
  const conditions: PodCondition[] = [];
  const message = errors.map(({ path, reason }) => (path ? `${path}: ${reason}` : reason)).join('; ');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    status: { phase: 'Failed', reason: 'InvalidManifest', message, conditions, containerStatuses: [], errors },
  };
};

/** A pod that has not been begun, and why; as a scheduler says it of one it has found no node for. */
export const waitingPod = ({ pod, generation }: DesiredPod, why: string): PublishedPod => {
  const { apiVersion, kind, metadata, spec } = pod;
  const message = `waiting for pods that are being terminated: ${why}`;
  return {
    apiVersion,
    kind,
    metadata,
    spec,
    status: {
      ...(generation !== undefined && { observedGeneration: generation }),
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
      containerStatuses: [],
      qosClass: qosClass(pod),
    },
  };
};

/** Whether a status only says that a start is under way, so that holding it back a moment loses nobody anything. */
export const isProgressOnly = ({ status }: PublishedPod): boolean =>
  status.phase === 'Pending' &&
  status.errors === undefined &&
  [...(status.initContainerStatuses ?? []), ...status.containerStatuses].every(({ state: { waiting, terminated } }) =>
    waiting
      ? ['ContainerCreating', 'PodInitializing'].includes(waiting.reason) && waiting.message === undefined
      : (terminated?.exitCode ?? 0) === 0,
  );
