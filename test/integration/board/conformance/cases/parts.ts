/** Words the cases about starting and ending are written in. */
import type { Pod } from '../../../../../src/manifest/types/pod.ts';
import { statusOf } from '../wave.ts';

export const WORK = { volumes: [{ name: 'work', emptyDir: { medium: 'Memory' } }] };
export const volumeMounts = [{ name: 'work', mountPath: '/work' }];
export const init = (name: string, sh: string, more: object = {}) => ({
  name,
  image: 'debian',
  command: ['/bin/sh', '-c', sh],
  volumeMounts,
  ...more,
});
export const sidecar = (name: string, sh: string, more: object = {}) =>
  init(name, sh, { restartPolicy: 'Always', ...more });

export const restarts = (pod: Pod, name = 'c0') => statusOf(pod, name).restartCount;
export const exitCode = (pod: Pod, name = 'c0') => statusOf(pod, name).state.terminated?.exitCode;
export const restarted =
  (count: number, name = 'c0') =>
  (pod: Pod) =>
    [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])].some(
      (status) => status.name === name && status.restartCount >= count,
    );
export const condition = (pod: Pod, type: string) => {
  const { status, reason, message } = pod.status?.conditions.find((found) => found.type === type) ?? {};
  return [status, reason, message].filter((part) => part !== undefined).join(' ');
};
/** Each attempt leaves a mark; what an attempt does depends on which it is. */
export const byAttempt = (...steps: string[]) =>
  `echo >> /work/n; case $(wc -l < /work/n) in ${steps.map((step, i) => `${i + 1}) ${step};;`).join(' ')} esac`;
export const fails = { exec: { command: ['/bin/false'] } };
export const file = (path: string) => ({ exec: { command: ['test', '-e', path] } });
export const impatient = { periodSeconds: 1, failureThreshold: 1 };
