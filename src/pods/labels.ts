/**
 * What travels with a running sandbox, so that the loss of the whole database restarts nothing: enough to write the
 * pod's record again from what runs.
 */
import type { Pod } from '../manifest/types.ts';
import { newHistory } from './history.ts';
import type { ContainerHistory, PodRecord } from './types.ts';

const PREFIX = 'io.edgepod';
const IMAGE_ID = `${PREFIX}.image-id`;
const STOP_SIGNAL = `${PREFIX}.stop-signal`;

export const sandboxLabels = (record: PodRecord): Record<string, string> => ({
  [`${PREFIX}.spec-digest`]: record.specDigest,
  [`${PREFIX}.manifest-digest`]: record.manifestDigest,
  [`${PREFIX}.generation`]: String(record.generation ?? ''),
  [`${PREFIX}.created-at`]: record.createdAt,
  [`${PREFIX}.manifest`]: JSON.stringify(record.pod),
});

export const containerLabels = (history: ContainerHistory): Record<string, string> => ({
  [IMAGE_ID]: history.imageID ?? '',
  [STOP_SIGNAL]: history.stopSignal ?? '',
});

export const fromContainerLabels = (
  labels: Record<string, string>,
): Pick<ContainerHistory, 'imageID' | 'stopSignal'> => ({
  ...(labels[IMAGE_ID] && { imageID: labels[IMAGE_ID] }),
  ...(labels[STOP_SIGNAL] && { stopSignal: labels[STOP_SIGNAL] }),
});

/** The record of a sandbox nobody remembers, without its containers' pasts; undefined if the labels are not ours. */
export const recordFromLabels = (
  { uid, attempt, ip, labels }: { uid: string; attempt: number; ip?: string; labels: Record<string, string> },
  bootId: string,
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
    sandboxes: attempt + 1,
    ...(ip !== undefined && { ip }),
    containers: Object.fromEntries(pod.spec.containers.map(({ name }) => [name, newHistory()])),
    conditions: [],
  };
};

const parsePod = (json: string | undefined): Pod | undefined => {
  try {
    const pod = JSON.parse(json ?? '') as Partial<Pod>;
    return pod?.metadata?.name && Array.isArray(pod.spec?.containers) ? (pod as Pod) : undefined;
  } catch {
    return undefined; // not written by this agent: the caller leaves the sandbox alone and says so
  }
};
