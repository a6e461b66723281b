/** What probes find out: every failure is told, a startup or liveness verdict ends the container, readiness only says so. */

import { condemn } from '../operations/condemn.ts';
import { restartPolicyOf } from '../plan/restart.ts';
import type { ProbeVerdict } from '../ports.ts';
import { historyOf, runOf } from '../state.ts';
import type { Incarnation } from '../worker/incarnation.ts';
import { healthOf } from './health.ts';
import type { WantedProbe } from './wanted.ts';

export const onVerdict = (pod: Incarnation, wanted: WantedProbe, verdict: ProbeVerdict): void => {
  if (!isCurrent(pod, wanted)) return;
  const { container, kind } = wanted;
  const { ok } = verdict;
  if (!ok) tellUnhealthy(pod, wanted, verdict.message);
  else if (verdict.message.startsWith(ELSEWHERE)) tell(pod, wanted, 'ProbeWarning', 'warning', verdict.message);
  const run = runOf(pod.state, container.name);
  const health = healthOf(pod.state, container.name);
  if (kind === 'readiness') run.health = { ...health, ready: ok };
  else if (kind === 'startup') run.health = { ...health, startup: ok ? 'ok' : 'failed' };
  else run.health = { ...health, alive: ok };
  if (!ok && kind !== 'readiness') endContainer(pod, wanted);
  pod.wake();
};

/** A failure that does not change the verdict. */
export const onFailure = (pod: Incarnation, wanted: WantedProbe, message: string): void => {
  if (isCurrent(pod, wanted)) tellUnhealthy(pod, wanted, message);
};

const isCurrent = (pod: Incarnation, { container, attempt }: WantedProbe): boolean =>
  !pod.gone && historyOf(pod.record, container.name).launched === attempt;

/** How the prober begins a success that says little: the container sent it to another host. */
const ELSEWHERE = 'Probe terminated redirects';

/** Characters of a command's output that an event repeats: as many as Kubernetes keeps of one. */
const MAX_MESSAGE = 1024;

const tellUnhealthy = (pod: Incarnation, wanted: WantedProbe, message: string): void =>
  tell(pod, wanted, 'Unhealthy', 'failed', message);

/** The failures of one probe are one series, however much their words differ: they may go on for days. */
const tell = (
  pod: Incarnation,
  { container, kind }: WantedProbe,
  reason: 'Unhealthy' | 'ProbeWarning',
  what: string,
  message: string,
): void => {
  const title = `${kind.charAt(0).toUpperCase()}${kind.slice(1)} probe ${what}`;
  pod.event('Warning', reason, `${title}: ${message.slice(0, MAX_MESSAGE)}`, {
    container: container.name,
    series: title,
  });
};

/** With the probe's own grace, if it has one. It is started again, whatever it exits with, unless it is run once only. */
const endContainer = (pod: Incarnation, { container: { name }, container, kind, probe }: WantedProbe): void => {
  const { spec } = pod.record.pod;
  const graceSeconds = probe.terminationGracePeriodSeconds ?? spec.terminationGracePeriodSeconds;
  const restart = restartPolicyOf(spec, container) !== 'Never';
  const message = `Container ${name} failed ${kind} probe${restart ? ', will be restarted' : ''}`;
  condemn(pod, name, { sinceMono: pod.now(), graceMs: Math.max(1, graceSeconds) * 1000, restart }, message);
};
