/**
 * Kinds besides Pod that make sense on one board, as `podman kube play` takes them: a Deployment, DaemonSet or Job is the
 * one Pod of its template, under its own name. Pure.
 */
import { type Admission, type AdmitOptions, admitPod } from './admit.ts';
import type { FieldError } from './types/field-error.ts';
import type { ObjectMeta } from './types/metadata.ts';
import { member, show } from './validate/issues.ts';
import { isObject, type RawObject } from './validate/read.ts';

interface Workload {
  apiVersion: string;
  /** Fields of its spec that say nothing here that is not so anyway. */
  quiet: string;
  /** Fields that are ignored with a warning. */
  ignored: string;
  restartPolicies: readonly string[];
  /** Its pod is replaced when it is taken from it. */
  replaces?: boolean;
}

/** Annotation of a pod that was made of a workload's template and is replaced when it is evicted: the kind. */
const KIND = 'edgepod.io/kind';

const WORKLOADS: ReadonlyMap<unknown, Workload> = new Map([
  [
    'Deployment',
    {
      apiVersion: 'apps/v1',
      quiet: 'template selector revisionHistoryLimit progressDeadlineSeconds',
      ignored: 'strategy minReadySeconds',
      restartPolicies: ['Always'],
      replaces: true,
    },
  ],
  [
    'DaemonSet',
    {
      apiVersion: 'apps/v1',
      quiet: 'template selector revisionHistoryLimit',
      ignored: 'updateStrategy minReadySeconds',
      restartPolicies: ['Always'],
      replaces: true,
    },
  ],
  [
    'Job',
    {
      apiVersion: 'batch/v1',
      quiet: 'template selector manualSelector',
      ignored:
        'parallelism completions backoffLimit backoffLimitPerIndex maxFailedIndexes completionMode ' +
        'activeDeadlineSeconds ttlSecondsAfterFinished podFailurePolicy podReplacementPolicy successPolicy managedBy',
      restartPolicies: ['OnFailure', 'Never'],
    },
  ],
]);

/** What to use instead of a kind that is not taken. */
const INSTEAD: ReadonlyMap<unknown, string> = new Map([
  ['StatefulSet', 'use a Pod with a hostPath volume'],
  ['ReplicaSet', 'use a Deployment, or a Pod'],
  ['ReplicationController', 'use a Deployment, or a Pod'],
  ['CronJob', 'nothing runs by a schedule here; publish a Job when it is to run'],
  ['Service', 'use hostPort to reach a pod; containers of one pod reach each other at localhost'],
  ['Ingress', 'use hostPort to reach a pod'],
  ['PersistentVolumeClaim', 'use a hostPath volume'],
  ['PersistentVolume', 'use a hostPath volume'],
  ['Namespace', 'a namespace need not be made'],
]);

/**
 * The Pod an object stands for, not validated: itself, but for the workloads above. A request for deletion needs no
 * template. `path` turns a path in that Pod into the path in the object as written.
 */
export function templatePod(
  raw: unknown,
): { raw: unknown; warnings: FieldError[]; path: (path: string) => string } | { errors: FieldError[] } {
  const workload = isObject(raw) ? WORKLOADS.get(raw.kind) : undefined;
  if (!isObject(raw) || workload === undefined) return { raw, warnings: [], path: (path) => path };
  const errors: FieldError[] = [];
  if (raw.apiVersion !== workload.apiVersion)
    errors.push(
      refusal('apiVersion', `Unsupported value: ${show(raw.apiVersion)}: supported: "${workload.apiVersion}"`),
    );
  const metadata = isObject(raw.metadata) ? raw.metadata : {};
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata };
  if (errors.length === 0 && metadata.deletionTimestamp) return { raw: pod, warnings: [], path: (path) => path };
  const spec = isObject(raw.spec) ? raw.spec : {};
  const template = isObject(spec.template) ? spec.template : undefined;
  if (template === undefined || !isObject(template.spec)) errors.push(refusal('spec.template.spec', 'Required value'));
  const warnings = checkWorkload(raw.kind as string, workload, spec, errors);
  if (errors.length > 0 || template === undefined) return { errors };
  const own = isObject(template.metadata) ? template.metadata : {};
  const { labels, annotations, ...identity } = metadata;
  return {
    raw: {
      ...pod,
      metadata: { ...identity, ...pick(own, 'labels'), ...annotationsOf(own, raw.kind as string, workload) },
      spec: template.spec,
    },
    warnings,
    path: (path) => (/^(spec|metadata\.(labels|annotations))\b/.test(path) ? `spec.template.${path}` : path),
  };
}

/** As admitPod, for every kind that stands for a Pod; `object` is the Pod as written. Other kinds are refused by name. */
export function admitWorkload(
  raw: unknown,
  options: AdmitOptions = {},
): (Exclude<Admission, { errors: FieldError[] }> & { object: unknown }) | { errors: FieldError[] } {
  const found = templatePod(raw);
  if ('errors' in found) return found;
  if (isObject(raw) && raw.kind !== 'Pod' && found.raw === raw) {
    const instead = INSTEAD.get(raw.kind);
    if (instead !== undefined) return { errors: [refusal('kind', `not supported: ${show(raw.kind)}: ${instead}`)] };
  }
  const moved = (errors: FieldError[]) => errors.map(({ path, reason }) => ({ path: found.path(path), reason }));
  const result = admitPod(found.raw, options);
  if ('errors' in result) return { errors: moved(result.errors) };
  return { pod: result.pod, warnings: [...found.warnings, ...moved(result.warnings)], object: found.raw };
}

/** Whether a controller would make another pod of this one when it is evicted. */
export function isReplaceable({ metadata }: { metadata: ObjectMeta }): boolean {
  return WORKLOADS.get(metadata.annotations?.[KIND])?.replaces === true;
}

/** Kinds that are taken as the Pod of their template. */
export function isWorkload(kind: unknown): boolean {
  return WORKLOADS.has(kind);
}

function checkWorkload(kind: string, workload: Workload, spec: RawObject, errors: FieldError[]): FieldError[] {
  const warnings: FieldError[] = [];
  const quiet = workload.quiet.split(' ');
  const ignored = workload.ignored.split(' ');
  for (const [name, value] of Object.entries(spec)) {
    const path = member('spec', name);
    if (quiet.includes(name) || value === null || value === undefined) continue;
    if (ignored.includes(name)) warnings.push(refusal(path, 'ignored: a device runs one pod of it, and replaces it'));
    else if (kind === 'Deployment' && name === 'replicas') checkReplicas(value, errors, warnings);
    else if (value === false && ['paused', 'suspend'].includes(name)) continue;
    else errors.push(refusal(path, ['paused', 'suspend'].includes(name) ? SUSPENDED : 'unknown field'));
  }
  const template = isObject(spec.template) && isObject(spec.template.spec) ? spec.template.spec : {};
  const policy = template.restartPolicy || 'Always';
  if (!workload.restartPolicies.includes(String(policy)))
    errors.push(
      refusal(
        'spec.template.spec.restartPolicy',
        `Unsupported value: ${show(policy)}: supported values: ${workload.restartPolicies.map(show).join(', ')}`,
      ),
    );
  return warnings;
}

const SUSPENDED = 'not supported: what is not to run is deleted, and published again when it is';

function checkReplicas(value: unknown, errors: FieldError[], warnings: FieldError[]): void {
  const path = 'spec.replicas';
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0)
    errors.push(refusal(path, `Invalid value: ${show(value)}: must be a whole number`));
  else if (value === 0) errors.push(refusal(path, SUSPENDED));
  else if (value > 1) warnings.push(refusal(path, `ignored: a device runs one of it, not ${value}`));
}

function refusal(path: string, reason: string): FieldError {
  return { path, reason };
}

function annotationsOf(own: RawObject, kind: string, { replaces }: Workload): RawObject {
  const given = own.annotations ?? {};
  // What is no object is for validation to refuse.
  return replaces && isObject(given) ? { annotations: { ...given, [KIND]: kind } } : pick(own, 'annotations');
}

function pick(object: RawObject, name: string): RawObject {
  return object[name] === undefined ? {} : { [name]: object[name] };
}
