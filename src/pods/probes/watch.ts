/** Keeps the prober at exactly the probes that are wanted. */
import type { Probe } from '../../manifest/types/probes.ts';
import { messageOf } from '../failures.ts';
import type { ProbeTiming } from '../ports.ts';
import type { Incarnation } from '../worker/incarnation.ts';
import { targetOf } from './target.ts';
import { onFailure, onVerdict } from './verdicts.ts';
import { type WantedProbe, wantedProbes } from './wanted.ts';

/** Begins and ends watches so that they are those the state asks for. */
export const watchProbes = (pod: Incarnation): void => {
  const wanted = new Map(wantedProbes(pod.state).map((probe) => [keyOf(probe), probe]));
  for (const [key, watch] of pod.watches) {
    if (wanted.has(key)) continue;
    watch.stop();
    pod.watches.delete(key);
  }
  for (const [key, probe] of wanted) if (!pod.watches.has(key)) pod.watches.set(key, begin(pod, probe));
};

/** The agent stops, or the pod is gone. */
export const stopWatching = (pod: Incarnation): void => {
  for (const watch of pod.watches.values()) watch.stop();
  pod.watches.clear();
};

const begin = (pod: Incarnation, wanted: WantedProbe): { stop(): void } => {
  const { container, kind, probe } = wanted;
  try {
    const target = targetOf(pod, container.name, probe);
    return pod.parts.prober.watch(
      target,
      timingOf(probe),
      (verdict) => onVerdict(pod, wanted, verdict),
      (message) => onFailure(pod, wanted, message),
    );
  } catch (error) {
    // A probe that cannot be asked has no answer: the first verdict of its kind stays (kubelet: probe error).
    pod.event('Warning', 'ProbeError', `${kind} probe errored: ${messageOf(error)}`, container.name);
    return { stop() {} };
  }
};

const timingOf = (probe: Probe): ProbeTiming => ({
  initialDelayMs: probe.initialDelaySeconds * 1000,
  periodMs: probe.periodSeconds * 1000,
  timeoutMs: probe.timeoutSeconds * 1000,
  successThreshold: probe.successThreshold,
  failureThreshold: probe.failureThreshold,
});

const keyOf = ({ container, kind, attempt }: WantedProbe): string => `${container.name}/${attempt}/${kind}`;
