/**
 * The in-memory picture of one incarnation of a pod, as plain data: the planner reads it, the worker's operations
 * change it. Handles (the Sandbox object, promises, timers) stay with the worker.
 */
import type { Retry } from './backoff.ts';
import type { Image } from './ports.ts';
import type { ContainerHistory, PodRecord } from './types.ts';

/** A reason as status and events show it. */
export interface Failure {
  reason: string;
  message: string;
}

/** One asynchronous step that is done at most once at a time. */
export interface Step {
  phase: 'idle' | 'busy' | 'done';
  failure?: Failure;
  retry?: Retry;
}

export type SandboxPhase = 'absent' | 'creating' | 'ready' | 'lost' | 'destroying';

export interface ContainerRun {
  /** `done` means `resolved` may be used for the next start; each start asks again. */
  image: Step & { resolved?: Image };
  /** The runner has been asked to start the launched attempt and has not answered. */
  starting: boolean;
  /** The configuration or the directories could not be made; no attempt was used up. */
  config?: { failure: Failure; retry: Retry };
  /** A stop was sent; SIGKILL follows at `deadline` (monotonic ms). */
  stopping?: { deadline: number };
  /** The shim still remembers an ended attempt, to be removed before the next start. */
  residue: boolean;
}

export interface PodState {
  record: PodRecord;
  volumes: Step;
  sandbox: { phase: SandboxPhase; failure?: Failure; retry?: Retry };
  /** Removal of what the pod held, once it has ended or been deleted. */
  cleaning: Step;
  containers: Map<string, ContainerRun>;
}

/** The state of a pod of which nothing runs. */
export const newState = (record: PodRecord): PodState => ({
  record,
  volumes: { phase: 'idle' },
  sandbox: { phase: 'absent' },
  cleaning: { phase: 'idle' },
  containers: new Map(
    record.pod.spec.containers.map(({ name }) => [name, { image: { phase: 'idle' }, starting: false, residue: false }]),
  ),
});

/** A container's history, which exists for every container of the spec. */
export const historyOf = (record: PodRecord, container: string): ContainerHistory => {
  const history = record.containers[container];
  if (history === undefined) throw new Error(`no container ${container} in pod ${record.namespace}/${record.name}`);
  return history;
};

/** A container's in-memory part, which exists for every container of the spec. */
export const runOf = (state: PodState, container: string): ContainerRun => {
  const run = state.containers.get(container);
  if (run === undefined) throw new Error(`no container ${container} in pod ${state.record.name}`);
  return run;
};
