/**
 * What travels with a running sandbox, so that the loss of the whole database restarts nothing: enough to write the
 * pod's record again from what runs.
 */
import { allContainers } from '../../manifest/containers.ts';
import type { ResourceRequirements } from '../../manifest/types/container.ts';
import type { Pod } from '../../manifest/types/pod.ts';
import { newHistory } from '../history.ts';
import type { ContainerHistory, PodRecord } from '../types.ts';
import { upgradedSpec } from './upgrade.ts';

const PREFIX = 'io.edgepod';
const IMAGE_ID = `${PREFIX}.image-id`;
const IMAGE = `${PREFIX}.image`;
const RESOURCES = `${PREFIX}.resources`;
const STOP_SIGNAL = `${PREFIX}.stop-signal`;

export const sandboxLabels = (record: PodRecord): Record<string, string> => ({
  [`${PREFIX}.spec-digest`]: record.specDigest,
  [`${PREFIX}.manifest-digest`]: record.manifestDigest,
  [`${PREFIX}.generation`]: String(record.generation ?? ''),
  [`${PREFIX}.created-at`]: record.createdAt,
  [`${PREFIX}.manifest`]: JSON.stringify(record.pod),
});

export const containerLabels = (history: ContainerHistory): Record<string, string> => ({
  [IMAGE]: history.origin?.image ?? '',
  [RESOURCES]: JSON.stringify(history.resources ?? {}),
  [IMAGE_ID]: history.imageID ?? '',
  [STOP_SIGNAL]: history.stopSignal ?? '',
});

/** `sandbox`: number of the sandbox the labels were found in. */
export const fromContainerLabels = (
  labels: Record<string, string>,
  sandbox: number,
): Pick<ContainerHistory, 'imageID' | 'stopSignal' | 'origin' | 'resources'> => ({
  ...(labels[IMAGE] && { origin: { sandbox, image: labels[IMAGE] } }),
  ...(labels[RESOURCES] && { resources: parseResources(labels[RESOURCES]) }),
  ...(labels[IMAGE_ID] && { imageID: labels[IMAGE_ID] }),
  ...(labels[STOP_SIGNAL] && { stopSignal: labels[STOP_SIGNAL] }),
});

/** The record of a sandbox nobody remembers, without its containers' pasts; undefined if the labels are not ours. */
export const recordFromLabels = (
  { uid, attempt, ip, labels }: { uid: string; attempt: number; ip?: string; labels: Record<string, string> },
  { bootId, mono }: { bootId: string; mono: number },
): PodRecord | undefined => {
  const pod = parsePod(labels[`${PREFIX}.manifest`]);
  const specDigest = labels[`${PREFIX}.spec-digest`];
  if (pod === undefined || specDigest === undefined) return undefined;
  const generation = labels[`${PREFIX}.generation`];
  return {
    uid,
    namespace: pod.metadata.namespace,
    name: pod.metadata.name,
    specDigest,
    manifestDigest: labels[`${PREFIX}.manifest-digest`] ?? '',
    ...(generation && { generation: Number(generation) }),
    pod,
    createdAt: labels[`${PREFIX}.created-at`] ?? '',
    bootId,
    active: { beforeMs: 0, sinceMono: mono },
    sandboxes: attempt + 1,
    ...(ip !== undefined && { ip }),
    containers: Object.fromEntries(allContainers(pod.spec).map(({ name }) => [name, newHistory()])),
    conditions: [],
  };
};

const parsePod = (json: string | undefined): Pod | undefined => {
  try {
    const pod = JSON.parse(json ?? '') as Partial<Pod>;
    if (!pod?.metadata?.name || !Array.isArray(pod.spec?.containers)) return undefined;
    return { ...(pod as Pod), spec: upgradedSpec(pod.spec) };
  } catch {
    return undefined; // not written by this agent: the caller leaves the sandbox alone and says so
  }
};

const parseResources = (json: string): ResourceRequirements => {
  try {
    return JSON.parse(json) as ResourceRequirements;
  } catch {
    return {}; // cut off or not ours: the next resize tells the kernel everything anyway
  }
};
