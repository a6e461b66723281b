/** Whether a container that ended is started again. Pure. */
import { isEphemeral, isInit, isSidecar } from '../../manifest/containers.ts';
import type { Container, RestartRule } from '../../manifest/types/container.ts';
import type { PodSpec } from '../../manifest/types/pod.ts';
import { originOf } from '../history.ts';
import type { ContainerHistory } from '../types.ts';

export type RestartPolicy = PodSpec['restartPolicy'];

/** By a container's own policy, else the pod's; an init container that succeeded has done its work. */
export const restartPolicyOf = (spec: PodSpec, container: Container): RestartPolicy => {
  if (isSidecar(spec, container)) return 'Always';
  const policy = container.restartPolicy ?? spec.restartPolicy;
  return policy === 'Always' && isInit(spec, container) ? 'OnFailure' : policy;
};

const ruleFor = ({ restartPolicyRules }: Container, exitCode: number): RestartRule | undefined =>
  restartPolicyRules.find(({ exitCodes: { operator, values } }) => values.includes(exitCode) === (operator === 'In'));

/** Whether the end of the newest attempt is to take every container of the pod with it. */
export const restartsAll = (container: Container, { ended }: ContainerHistory): boolean =>
  ended !== undefined && ruleFor(container, ended.exitCode)?.action === 'RestartAllContainers';

/** Rules come first (the first that matches decides), then the policy (kubelet ShouldContainerBeRestarted). */
export const restartsAfter = (spec: PodSpec, container: Container, exitCode: number): boolean => {
  const policy = restartPolicyOf(spec, container);
  return (
    ruleFor(container, exitCode) !== undefined || policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0)
  );
};

/** The same of what is known about the container: condemned attempts and changed images are started again in any case. */
export const startsAgain = (spec: PodSpec, container: Container, history: ContainerHistory): boolean => {
  const { ended } = history;
  if (ended === undefined) return true;
  if (isEphemeral(spec, container)) return false;
  return (
    ended.restart === true || imageChanged(spec, container, history) || restartsAfter(spec, container, ended.exitCode)
  );
};

/** The newest attempt runs, or ran, another image than the spec names now. A plain init container is not done twice. */
export const imageChanged = (spec: PodSpec, container: Container, history: ContainerHistory): boolean => {
  const origin = originOf(history);
  if (origin === undefined || origin.image === container.image) return false;
  return !isInit(spec, container) || isSidecar(spec, container);
};
