/** What a sandbox reports by itself: ends of containers, OOM kills, its own loss. */
import { findContainer } from '../../manifest/containers.ts';
import { restartDueAt } from '../backoff.ts';
import { backoffOf, end, endedByExit } from '../history.ts';
import { startsAgain } from '../plan/restart.ts';
import type { Sandbox, SandboxEvent } from '../ports.ts';
import { historyOf } from '../state.ts';
import type { Incarnation } from '../worker/incarnation.ts';
import { withLastWords } from './last-words.ts';

type ExitEvent = Extract<SandboxEvent, { type: 'exit' }>;

/** Every event is acknowledged once what it changed is on the disk. */
export const followEvents = (pod: Incarnation, sandbox: Sandbox): void => {
  sandbox.onEvent((event) => {
    // A sandbox that was given up may still talk.
    if (pod.gone || pod.sandbox !== sandbox) return;
    if (event.type === 'exit') onExit(pod, sandbox, event);
    else if (event.type === 'lost') onLost(pod, event.reason);
    else {
      const message = `A process of container ${event.container} was killed: memory limit reached`;
      pod.event('Warning', 'OOMKilling', message, event.container);
    }
    pod.saver.markUrgent(() => sandbox.ack(event.seq));
    pod.wake();
  });
};

const onExit = (pod: Incarnation, sandbox: Sandbox, { container, attempt, exit }: ExitEvent): void => {
  const run = pod.state.containers.get(container);
  if (run === undefined) return;
  // A replayed exit may be of an attempt before the one that runs.
  run.residue = sandbox.containers().some((known) => known.name === container && known.exit !== undefined);
  if (attempt >= historyOf(pod.record, container).launched) delete run.stopping;
  const before = historyOf(pod.record, container);
  pod.change(container, (history) =>
    end(history, withLastWords(pod, container, endedByExit(attempt, exit, pod.now()))),
  );
  if (historyOf(pod.record, container) !== before) reportBackoff(pod, container);
};

const reportBackoff = (pod: Incarnation, container: string): void => {
  const { record } = pod;
  const history = historyOf(record, container);
  const { ended } = history;
  const spec = findContainer(record.pod.spec, container);
  if (record.deleting || ended === undefined || !spec || !startsAgain(record.pod.spec, spec, history)) return;
  if (restartDueAt(backoffOf(spec, history), ended.finishedMono) <= pod.now()) return;
  const message = `Back-off restarting failed container ${container} in pod ${record.name}_${record.namespace}(${record.uid})`;
  pod.event('Warning', 'BackOff', message, container);
};

/** The reason is kept for the containers whose end is not reported any more. */
const onLost = (pod: Incarnation, reason: string): void => {
  const { sandbox } = pod.state;
  if (sandbox.phase !== 'ready') return;
  const message = `sandbox lost: ${reason}`;
  pod.state.sandbox = { phase: 'lost', failure: { reason: 'SandboxLost', message } };
  if (!pod.record.deleting) {
    pod.event('Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
    pod.event('Warning', 'SandboxLost', message);
  }
};
