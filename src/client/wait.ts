/** Decides from a pod's reported status whether an operator's wish has come true. */
import type { Pod } from '../manifest/types/pod.ts';

/** `settled`: nothing can change it any more. A pod that is ready may yet end a moment later. */
export type Verdict = { done: false } | { done: true; ok: boolean; settled: boolean; message: string };

/**
 * Whether the device has taken and satisfied the manifest of `generation`.
 * Satisfied: the pod is Ready, or it succeeded. Given up: rejected, refused at admission, or failed.
 */
export function applyVerdict(pod: Pod, generation: number): Verdict {
  const status = pod.status;
  if (!status || (status.observedGeneration ?? 0) < generation) return { done: false };
  const name = `pod/${pod.metadata.name}`;
  if (status.errors?.length) {
    const reasons = status.errors.map(({ path, reason }) => `\n  ${path}: ${reason}`).join('');
    return { done: true, ok: false, settled: true, message: `${name} was refused:${reasons}` };
  }
  if (status.phase === 'Failed') {
    const why = [status.reason, status.message].filter(Boolean).join(': ') || failedContainers(pod);
    return { done: true, ok: false, settled: true, message: `${name} failed: ${why}` };
  }
  if (status.phase === 'Succeeded') return { done: true, ok: true, settled: true, message: `${name} succeeded` };
  const completed = status.containerStatuses.every((c) => c.ready || c.state.terminated?.exitCode === 0);
  const running = status.phase === 'Running' && status.containerStatuses.length > 0 && completed;
  return running ? { done: true, ok: true, settled: false, message: `${name} is running` } : { done: false };
}

/** Why a pod that was waited for is not there yet, for people; `undefined` for one that no device has reported. */
export function delayReason(pod: Pod | undefined, generation: number): string {
  const status = pod?.status;
  if (!status || (status.observedGeneration ?? 0) < generation) return 'the device has not answered to this manifest';
  const all = [...(status.initContainerStatuses ?? []), ...status.containerStatuses];
  const waiting = all.find(({ state }) => state.waiting?.message)?.state.waiting;
  if (waiting) return `${waiting.reason}: ${waiting.message}`;
  const unready = all.filter(({ ready, state }) => !ready && state.terminated?.exitCode !== 0).map(({ name }) => name);
  const containers = unready.length > 0 ? `containers that are not ready: ${unready.join(', ')}` : undefined;
  return [status.reason, status.message].filter(Boolean).join(': ') || containers || `its phase is ${status.phase}`;
}

function failedContainers(pod: Pod): string {
  const failed = (pod.status?.containerStatuses ?? []).flatMap(({ name, state }) =>
    state.terminated && state.terminated.exitCode !== 0
      ? [`${name} ended with ${state.terminated.exitCode} (${state.terminated.reason})`]
      : [],
  );
  return failed.join(', ') || 'no reason reported';
}
