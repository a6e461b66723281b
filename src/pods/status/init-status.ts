/** Statuses of init containers, and how far the pod has come with them. */
import { isSidecar } from '../../manifest/containers.ts';
import type { ContainerStatus } from '../../manifest/types/status.ts';
import { planInit } from '../plan/init-containers.ts';
import { historyOf, type PodState } from '../state.ts';
import { containerStatus } from './container-status.ts';

export interface InitStatus {
  /** Everything before the regular containers is done; stays so once they have run, whatever becomes of the sandbox. */
  initialized: boolean;
  statuses: ContainerStatus[];
  /** Names of those that have work to do yet. */
  incomplete: string[];
}

export const initStatus = (state: PodState): InitStatus => {
  const { record } = state;
  const { spec } = record.pod;
  const plan = planInit(state);
  const over = record.outcome !== undefined || record.deleting !== undefined;
  const haveRun = spec.containers.some(({ name }) => historyOf(record, name).launched >= 0);
  const turn = new Set(plan.needs.map(({ container }) => container.name));
  const statuses = spec.initContainers.map((container) =>
    containerStatus(state, container, { mustWait: !turn.has(container.name) }),
  );
  const incomplete = spec.initContainers.filter((container, index) => {
    const status = statuses[index];
    return isSidecar(spec, container) ? !status?.started : !status?.ready;
  });
  return {
    initialized: plan.initialized || (over && haveRun),
    statuses,
    incomplete: incomplete.map(({ name }) => name),
  };
};
