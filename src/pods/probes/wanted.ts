/** Which probes of a pod are to be asked now (kubelet `prober/worker.go`). Pure. */
import { allContainers } from '../../manifest/containers.ts';
import type { Container } from '../../manifest/types/container.ts';
import type { Probe } from '../../manifest/types/probes.ts';
import { historyOf, type PodState, runOf } from '../state.ts';
import { healthOf, isUp } from './health.ts';

export type ProbeKind = 'startup' | 'liveness' | 'readiness';

export interface WantedProbe {
  container: Container;
  kind: ProbeKind;
  probe: Probe;
  attempt: number;
}

/**
 * Until a container has started only its startup probe is asked, from then on the others. A verdict that ends the
 * container stands until the next attempt. Nothing is asked of a pod that has ended, and of one that is ending only
 * whether it is ready.
 */
export const wantedProbes = (state: PodState): WantedProbe[] => {
  const { record, sandbox } = state;
  if (record.outcome || sandbox.phase !== 'ready') return [];
  return allContainers(record.pod.spec).flatMap((container) => {
    if (!isUp(state, container)) return [];
    const { launched: attempt } = historyOf(record, container.name);
    return kindsOf(state, container).flatMap((kind) => {
      const probe = container[`${kind}Probe`];
      return probe ? [{ container, kind, probe, attempt }] : [];
    });
  });
};

const kindsOf = (state: PodState, container: Container): ProbeKind[] => {
  const { startup, alive } = healthOf(state, container.name);
  const { condemned, launched } = historyOf(state.record, container.name);
  const ending =
    state.record.deleting !== undefined ||
    runOf(state, container.name).stopping !== undefined ||
    condemned?.attempt === launched;
  if (container.startupProbe && startup !== 'ok') return ending || startup === 'failed' ? [] : ['startup'];
  return ending || !alive ? ['readiness'] : ['liveness', 'readiness'];
};
