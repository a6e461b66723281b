/** What a changed spec asks for, so that what can change in place need not replace the pod. Pure. */
import { canonicalJson } from './digest.ts';
import { qosClass } from './qos.ts';
import { compareQuantities } from './quantity.ts';
import type { Container, ResourceList, ResourceRequirements } from './types/container.ts';
import type { PodSpec } from './types/pod.ts';

export interface SpecChange {
  /**
   * images: only images, of `containers` (none: only pull policies, which count at the next start) · resources: only
   * amounts of cpu and memory, of `containers` and, with `pod`, of the pod as a whole · ephemeral: only ephemeral
   * containers, which may differ with images and resources too · other: the pod is another one.
   */
  kind: 'none' | 'images' | 'resources' | 'ephemeral' | 'other';
  /** Names, init containers first; empty with `none`, `ephemeral` and `other`. */
  containers: string[];
  /** Only with `resources`. */
  pod: boolean;
}

const OTHER: SpecChange = { kind: 'other', containers: [], pod: false };
const RESIZABLE = ['cpu', 'memory'];

/**
 * Both specs defaulted. An image change may bring another default pull policy along. Resources that cannot be resized
 * in place, as in Kubernetes, are `other`: those of a plain init container, anything but cpu and memory, an amount that is
 * added or taken away, and a change of the QoS class. So is a deadline that is put off or lifted.
 */
export function changeKind(from: PodSpec, to: PodSpec): SpecChange {
  const nearer = deadlineNearer(from, to);
  if (nearer) return changeKind({ ...from, activeDeadlineSeconds: nearer }, to);
  if (canonicalJson(from) === canonicalJson(to)) return { ...OTHER, kind: 'none' };
  const [before, after] = [withoutEphemeral(from), withoutEphemeral(to)];
  if (canonicalJson(before) === canonicalJson(after)) return { ...OTHER, kind: 'ephemeral' };
  if (same(before, after, withoutImage, keepResources)) return imageChange(before, after);
  if (same(before, after, withoutResources, dropResources)) return resourceChange(before, after);
  return OTHER;
}

/** The new deadline, where it is one that a pod may be given while it runs: its first, or an earlier one. */
function deadlineNearer(before: PodSpec, { activeDeadlineSeconds: seconds }: PodSpec): number | undefined {
  return seconds !== undefined && seconds < (before.activeDeadlineSeconds ?? Number.POSITIVE_INFINITY)
    ? seconds
    : undefined;
}

function same(a: PodSpec, b: PodSpec, strip: (c: Container) => object, stripPod: (spec: PodSpec) => object): boolean {
  const bare = (spec: PodSpec) =>
    canonicalJson({
      ...stripPod(spec),
      initContainers: spec.initContainers.map(strip),
      containers: spec.containers.map(strip),
    });
  return bare(a) === bare(b);
}

const withoutEphemeral = ({ ephemeralContainers, ...rest }: PodSpec): PodSpec => rest;
const withoutImage = ({ image, imagePullPolicy, ...rest }: Container) => rest;
const withoutResources = ({ resources, ...rest }: Container) => rest;
const keepResources = (spec: PodSpec) => spec;
const dropResources = ({ resources, ...rest }: PodSpec) => rest;

function imageChange(before: PodSpec, after: PodSpec): SpecChange {
  const changed = pairs(before, after).filter(([a, b]) => a.image !== b.image);
  return { kind: 'images', containers: changed.map(([, { name }]) => name), pod: false };
}

function resourceChange(before: PodSpec, after: PodSpec): SpecChange {
  const changed = pairs(before, after).filter(([a, b]) => canonicalJson(a.resources) !== canonicalJson(b.resources));
  const pod = canonicalJson(before.resources ?? {}) !== canonicalJson(after.resources ?? {});
  const plain = new Set(before.initContainers.filter((c) => c.restartPolicy !== 'Always').map((c) => c.name));
  if (changed.some(([a, b]) => plain.has(a.name) || !resizable(a.resources, b.resources))) return OTHER;
  if (pod && !resizable(before.resources ?? {}, after.resources ?? {})) return OTHER;
  if (qosClass({ spec: before }) !== qosClass({ spec: after })) return OTHER;
  return { kind: 'resources', containers: changed.map(([, { name }]) => name), pod };
}

/** Containers of both specs by position: everything but what may differ is the same already, the names too. */
function pairs(before: PodSpec, after: PodSpec): [Container, Container][] {
  const now = [...after.initContainers, ...after.containers];
  return [...before.initContainers, ...before.containers].map((container, i) => [container, now[i]!]);
}

/** The same amounts are named, and only those of cpu and memory differ. */
function resizable(a: ResourceRequirements, b: ResourceRequirements): boolean {
  const fits = (x: ResourceList = {}, y: ResourceList = {}) =>
    Object.keys({ ...x, ...y }).every((name) => {
      const [from, to] = [x[name], y[name]];
      if (from === undefined || to === undefined) return false;
      return RESIZABLE.includes(name) || compareQuantities(from, to) === 0;
    });
  return fits(a.limits, b.limits) && fits(a.requests, b.requests);
}
