/** The values Kubernetes fills in (`pkg/apis/core/v1/defaults.go`). */
import { parseNano, QuantityError } from './quantity.ts';
import type { Container, ResourceList } from './types/container.ts';

export const DEFAULT_NAMESPACE = 'default';
export const DEFAULT_RESTART_POLICY = 'Always';
export const DEFAULT_GRACE_SECONDS = 30;
export const DEFAULT_PROTOCOL = 'TCP';

export const DEFAULT_TERMINATION_MESSAGE_PATH = '/dev/termination-log';
export const DEFAULT_FILE_MODE = 0o644;
export const DEFAULT_DIVISOR = '1';
export const PROBE_DEFAULTS = {
  initialDelaySeconds: 0,
  periodSeconds: 10,
  timeoutSeconds: 1,
  successThreshold: 1,
  failureThreshold: 3,
} as const;

/** What Kubernetes' own priority classes stand for. */
export const SYSTEM_PRIORITIES: ReadonlyMap<string, number> = new Map([
  ['system-cluster-critical', 2_000_000_000],
  ['system-node-critical', 2_000_001_000],
]);

/** `Always` for an image that can change under its name (`:latest`, or no tag and no digest), else `IfNotPresent`. */
export function defaultPullPolicy(image: string): Container['imagePullPolicy'] {
  if (image.includes('@')) return 'IfNotPresent';
  const [, tag = 'latest'] = image.slice(image.lastIndexOf('/') + 1).split(':');
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

/** Requests default to the limits, resource by resource. */
export function defaultRequests(requests: ResourceList | undefined, limits: ResourceList | undefined): ResourceList {
  return { ...limits, ...requests };
}

/** The name processes in the pod see: the pod's own, cut to what Linux and DNS take as one label. */
export function defaultHostname(podName: string): string {
  return podName.slice(0, 63).replace(/[-.]+$/, '');
}

/** A quantity given as a JSON number, as the text it stands for; undefined when it is none. */
export function quantityText(value: number): string | undefined {
  const text = String(value);
  try {
    parseNano(text);
    return text;
  } catch (error) {
    if (error instanceof QuantityError) return undefined;
    throw error;
  }
}
