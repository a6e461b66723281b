/** Which pod and container a call is about. */
import type { ContainerDescription, PodDescription } from '../../pods/describe.ts';
import type { PodManager } from '../../pods/manager.ts';

/** Answered to the caller as `{error: {code, message}}`. */
export class CallError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface PodParams {
  namespace: string;
  name: string;
  container?: string;
}

/** @throws CallError `InvalidParams` */
export function podParams(params: Record<string, unknown>): PodParams {
  const { namespace = 'default', name, container } = params;
  if (typeof name !== 'string' || typeof namespace !== 'string')
    throw new CallError('InvalidParams', 'name must be the name of a pod');
  if (container !== undefined && typeof container !== 'string')
    throw new CallError('InvalidParams', 'container must be a name');
  return { namespace, name, ...(container !== undefined && { container }) };
}

/** @throws CallError `NotFound` */
export function podOf(manager: PodManager, { namespace, name }: PodParams): PodDescription {
  const pod = manager.describe(namespace, name);
  if (!pod) throw new CallError('NotFound', `pod ${namespace}/${name} is not on this device`);
  return pod;
}

/** The container named, or the pod's first; `object` names it in messages. @throws CallError `NotFound` */
export function containerOf(
  manager: PodManager,
  params: PodParams,
): { pod: PodDescription; container: ContainerDescription; object: string } {
  const pod = podOf(manager, params);
  const wanted = params.container ?? pod.pod.spec?.containers[0]?.name;
  const container = pod.containers.find(({ name }) => name === wanted);
  const object = `${params.namespace}/${params.name}`;
  if (!container) throw new CallError('NotFound', `pod ${object} has no container ${wanted}`);
  return { pod, container, object: `${object}/${container.name}` };
}
