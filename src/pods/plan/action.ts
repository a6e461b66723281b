import type { Condemned, Outcome } from '../types.ts';

/** Everything a worker can do. Each is started at once and reports back; the worker then plans again. */
export type Action =
  /** Ask the image source for the container's image. */
  | { do: 'ensure-image'; container: string }
  /** Check host paths, make directories and tmpfs mounts. Idempotent. */
  | { do: 'prepare-volumes' }
  /** Make the record durable with the launches in it, then build a sandbox. Preceded by volumes. */
  | { do: 'create-sandbox'; launch: string[] }
  /** Start the container's next attempt in the ready sandbox. Preceded by its image and the volumes. */
  | { do: 'start'; container: string }
  /** Run the postStart hook of the attempt that has just come to run. */
  | { do: 'post-start'; container: string }
  /** Give these running containers, and the pod, the limits the spec has now. */
  | { do: 'resize'; containers: string[] }
  /** The running attempt is to end though its pod goes on; the plan then stops it. */
  | { do: 'condemn'; container: string; fate: Omit<Condemned, 'attempt'>; message: string }
  /** Run the preStop hook; from `deadline` (monotonic ms) on nothing waits for it. */
  | { do: 'pre-stop'; container: string; deadline: number }
  /** Stop signal now, SIGKILL after `graceMs`. `deadline` is the one it was reckoned from. */
  | { do: 'stop'; container: string; graceMs: number; deadline: number }
  /** End all containers at once and begin the pod anew, because `container` ended in a way that asks for it. */
  | { do: 'restart-all'; container: string }
  /** Take the sandbox down with all that is left in it; what nobody saw end becomes ContainerStatusUnknown. */
  | { do: 'destroy-sandbox' }
  /** The pod ended for good; durable before anything of it is removed. */
  | { do: 'finish'; outcome: Outcome }
  /** Remove what it held: `finished` keeps record and logs, `deleted` keeps nothing and ends the incarnation. */
  | { do: 'clean'; scope: 'finished' | 'deleted' };

export interface Plan {
  actions: Action[];
  /** Monotonic ms at which to plan again if nothing happens before; absent: only an event can change anything. */
  wakeAt?: number;
}
