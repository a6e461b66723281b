/** `status.conditions` (kubelet `status/generate.go`). */
import type { ContainerStatus, PodCondition, PodPhase } from '../../manifest/types.ts';

type Verdict = Pick<PodCondition, 'status' | 'reason' | 'message'>;

const TRUE: Verdict = { status: 'True' };

/** The five conditions, each with the time its status last changed kept from `previous`. */
export const podConditions = ({
  phase,
  sandboxReady,
  refused,
  sandboxFailure,
  containers,
  previous,
  now,
}: {
  phase: PodPhase;
  sandboxReady: boolean;
  refused: boolean;
  sandboxFailure?: { reason: string; message: string } | undefined;
  containers: ContainerStatus[];
  previous: PodCondition[];
  /** RFC 3339. */
  now: string;
}): PodCondition[] => {
  const ready = readiness(phase, containers);
  const sandbox: Verdict = sandboxReady ? TRUE : { status: 'False', ...sandboxFailure };
  const initialized: Verdict =
    phase === 'Succeeded' ? { status: 'True', reason: 'PodCompleted' } : refused ? { status: 'False' } : TRUE;
  const verdicts: [PodCondition['type'], Verdict][] = [
    ['PodReadyToStartContainers', sandbox],
    ['Initialized', initialized],
    ['Ready', ready],
    ['ContainersReady', ready],
    ['PodScheduled', TRUE],
  ];
  return verdicts.map(([type, verdict]) => {
    const before = previous.find((condition) => condition.type === type);
    const unchanged = before?.status === verdict.status ? before.lastTransitionTime : undefined;
    return { type, ...verdict, lastTransitionTime: unchanged ?? now };
  });
};

const readiness = (phase: PodPhase, containers: ContainerStatus[]): Verdict => {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const unready = containers.filter(({ ready }) => !ready).map(({ name }) => name);
  if (unready.length === 0) return TRUE;
  return {
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  };
};
