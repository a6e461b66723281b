/** Pod conditions (kubelet `status/generate.go`). */
import type { ContainerStatus, PodCondition, PodPhase } from '../../manifest/types/status.ts';

type Verdict = Pick<PodCondition, 'status' | 'reason' | 'message'>;

const TRUE: Verdict = { status: 'True' };

export interface ConditionInput {
  phase: PodPhase;
  sandboxReady: boolean;
  refused: boolean;
  sandboxFailure?: { reason: string; message: string } | undefined;
  initialized: boolean;
  /** Init containers that are not through. */
  incomplete: string[];
  /** Sidecars and regular containers. */
  containers: ContainerStatus[];
  /** `readinessGates`: types of conditions that have to be True as well. */
  gates: string[];
  /** Limits the kernel cannot apply; undefined when all are in force. */
  missingLimits?: string | undefined;
  /** Why the node ends it to have more of something for the others. */
  disrupted?: string | undefined;
  /** Why the node does not give the pod the resources desired; undefined when it does. */
  resizePending?: { reason: string; message: string } | undefined;
  /** Why containers do not have the resources of the spec; undefined when they have. */
  resizing?: { reason?: string; message?: string } | undefined;
  /** Of the manifest. */
  generation?: number | undefined;
  previous: PodCondition[];
  /** RFC 3339. */
  now: string;
}

/** The conditions, each with the time its status last changed kept from `previous`. */
export const podConditions = (input: ConditionInput): PodCondition[] => {
  const { phase, sandboxReady, sandboxFailure, containers, gates, generation, previous, now } = input;
  const containersReady = readiness(phase, containers);
  const verdicts: [PodCondition['type'], Verdict][] = [
    ['PodReadyToStartContainers', sandboxReady ? TRUE : { status: 'False', ...sandboxFailure }],
    ['Initialized', initialization(input)],
    ['Ready', containersReady.status === 'True' ? gated(gates, previous) : containersReady],
    ['ContainersReady', containersReady],
    ['PodScheduled', TRUE],
    ...occasional(input),
  ];
  return verdicts.map(([type, verdict]) => {
    const before = previous.find((condition) => condition.type === type);
    const unchanged = before?.status === verdict.status ? before.lastTransitionTime : undefined;
    const observed = generation === undefined ? {} : { observedGeneration: generation };
    return { type, ...verdict, lastTransitionTime: unchanged ?? now, ...observed };
  });
};

/** Conditions a pod has only while there is something to be said. */
const occasional = ({
  missingLimits,
  disrupted,
  resizePending,
  resizing,
}: ConditionInput): [PodCondition['type'], Verdict][] => {
  const all: [string, Verdict | undefined][] = [
    // Kubernetes has no such condition: its nodes are chosen for what they can do.
    ['edgepod.io/LimitsInForce', missing(missingLimits)],
    ['DisruptionTarget', because('TerminationByKubelet', disrupted)],
    ['PodResizePending', resizePending && { status: 'True', ...resizePending }],
    ['PodResizeInProgress', resizing && { status: 'True', ...resizing }],
  ];
  return all.flatMap(([type, verdict]) => (verdict ? [[type, verdict] as [string, Verdict]] : []));
};

const missing = (message: string | undefined): Verdict | undefined =>
  message === undefined ? undefined : { status: 'False', reason: 'KernelLimited', message };

const because = (reason: string, message: string | undefined): Verdict | undefined =>
  message === undefined ? undefined : { status: 'True', reason, message };

const initialization = ({ phase, refused, initialized, incomplete }: ConditionInput): Verdict => {
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' };
  if (refused) return { status: 'False' };
  if (initialized) return TRUE;
  return {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${incomplete.join(' ')}]`,
  };
};

const readiness = (phase: PodPhase, containers: ContainerStatus[]): Verdict => {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const unready = containers.filter(({ ready }) => !ready).map(({ name }) => name);
  if (unready.length === 0) return TRUE;
  return {
    status: 'False',
    reason: 'ContainersNotReady',
    message: `${UNREADY}[${unready.join(' ')}]`,
  };
};

const UNREADY = 'containers with unready status: ';

/** The containers that were reported not to be ready; undefined when the conditions do not tell. */
export const unreadyContainers = (conditions: PodCondition[]): string[] | undefined => {
  const { status, message } = conditions.find(({ type }) => type === 'ContainersReady') ?? {};
  if (status === 'True') return [];
  return message?.startsWith(UNREADY) ? message.slice(UNREADY.length + 1, -1).split(' ') : undefined;
};

const gated = (gates: string[], conditions: PodCondition[]): Verdict => {
  const unmet = gates.flatMap((type) => {
    const found = conditions.find((condition) => condition.type === type);
    if (found === undefined) return [`corresponding condition of pod readiness gate "${type}" does not exist.`];
    if (found.status === 'True') return [];
    return [`the status of pod readiness gate "${type}" is not "True", but ${found.status}`];
  });
  return unmet.length === 0 ? TRUE : { status: 'False', reason: 'ReadinessGatesNotReady', message: unmet.join(', ') };
};
