/**
 * Containers that are added to a running pod to look into it. Each is started once, in the incarnation it was added to;
 * none is ever restarted, changed or taken away. Pure.
 */
import { isEphemeral } from '../../manifest/containers.ts';
import { canonicalJson } from '../../manifest/digest.ts';
import type { Container, EphemeralContainer } from '../../manifest/types/container.ts';
import type { FieldError } from '../../manifest/types/field-error.ts';
import type { PodSpec } from '../../manifest/types/pod.ts';
import { EXIT_START_FAILED, newHistory } from '../history.ts';
import { containerNeed, type Need } from '../plan/container-need.ts';
import type { PodState } from '../state.ts';
import type { ContainerHistory, DesiredPod, PodRecord } from '../types.ts';

/** The spec desired, with the ephemeral containers the pod has already; one that is not desired any more stays. */
export const withEphemeral = (running: PodSpec, desired: PodSpec): PodSpec => {
  const { ephemeralContainers: wanted = [], ...rest } = desired;
  const present = running.ephemeralContainers ?? [];
  const all = [...present, ...wanted.filter(({ name }) => present.every((known) => known.name !== name))];
  return { ...rest, ...(all.length > 0 && { ephemeralContainers: all }) };
};

/** What the newest manifest asks of ephemeral containers the pod has already, and does not get. */
export const ephemeralErrors = (record: PodRecord, desired: DesiredPod | undefined): FieldError[] => {
  if (desired === undefined || desired.deletionTimestamp !== undefined) return [];
  const present = new Map((record.pod.spec.ephemeralContainers ?? []).map((container) => [container.name, container]));
  return (desired.pod.spec.ephemeralContainers ?? []).flatMap((container, i) => {
    const before: EphemeralContainer | undefined = present.get(container.name);
    if (before === undefined || canonicalJson(before) === canonicalJson(container)) return [];
    const reason = `Forbidden: existing ephemeral containers "${container.name}" may not be changed`;
    return [{ path: `spec.ephemeralContainers[${i}]`, reason }];
  });
};

/** Histories of the containers of a pod that begins: an API server would not take one that has ephemeral ones already. */
export const firstHistories = (
  spec: PodSpec,
  containers: Container[],
  finishedMono: number,
): Record<string, ContainerHistory> =>
  Object.fromEntries(
    containers.map((container) => [
      container.name,
      isEphemeral(spec, container) ? withheld(finishedMono) : newHistory(),
    ]),
  );

/** The record of a pod that was forgotten while it ran: what its sandbox does not know had its turn, or never gets one. */
export const withholdUnseen = (record: PodRecord, finishedMono: number): PodRecord => {
  const unseen = (record.pod.spec.ephemeralContainers ?? []).filter(
    ({ name }) => (record.containers[name]?.launched ?? -1) < 0,
  );
  if (unseen.length === 0) return record;
  const ended = Object.fromEntries(unseen.map(({ name }) => [name, withheld(finishedMono)]));
  return { ...record, containers: { ...record.containers, ...ended } };
};

const withheld = (finishedMono: number): ContainerHistory => ({
  launched: 0,
  ended: {
    attempt: 0,
    exitCode: EXIT_START_FAILED,
    signal: 0,
    reason: 'NotStarted',
    message: 'An ephemeral container is started in the running pod it is added to, and never with a pod',
    finishedMono,
  },
});

/** They wait for nothing but a sandbox, and no sandbox is built for them. */
export const ephemeralNeeds = (state: PodState): { container: Container; need: Need }[] => {
  if (state.sandbox.phase !== 'ready') return [];
  const { ephemeralContainers = [] } = state.record.pod.spec;
  return ephemeralContainers.map((container) => ({ container, need: containerNeed(state, container) }));
};
