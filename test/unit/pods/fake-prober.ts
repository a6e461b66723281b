/** A prober that answers when a test says so. */
import type { Prober, ProbeTarget, ProbeTiming, ProbeVerdict } from '../../../src/pods/ports.ts';

export interface Watch {
  target: ProbeTarget;
  timing: ProbeTiming;
  onVerdict: (verdict: ProbeVerdict) => void;
  onFailure: (message: string) => void;
}

export class FakeProber implements Prober {
  readonly watches = new Set<Watch>();
  /** Every hook and one-off question asked. */
  readonly asked: { target: ProbeTarget; timeoutMs: number }[] = [];
  /** Answers a question; a promise that stays open is a hook that takes its time. */
  answer: (target: ProbeTarget, timeoutMs: number) => Promise<ProbeVerdict> = async () => ({ ok: true, message: '' });

  watch(
    target: ProbeTarget,
    timing: ProbeTiming,
    onVerdict: Watch['onVerdict'],
    onFailure: Watch['onFailure'] = () => {},
  ): { stop(): void } {
    const watch = { target, timing, onVerdict, onFailure };
    this.watches.add(watch);
    return { stop: () => void this.watches.delete(watch) };
  }

  once(target: ProbeTarget, timeoutMs: number): Promise<ProbeVerdict> {
    this.asked.push({ target, timeoutMs });
    return this.answer(target, timeoutMs);
  }

  /** The command of each exec probe or hook, or the port that is asked. */
  names(): string[] {
    return [...this.watches].map(({ target }) => nameOf(target)).sort();
  }

  /** The watched probe of that name reports. */
  say(name: string, ok: boolean, message = ''): void {
    for (const watch of this.watches) if (nameOf(watch.target) === name) watch.onVerdict({ ok, message });
  }

  /** It answers with a failure that makes no verdict. */
  complain(name: string, message: string): void {
    for (const watch of this.watches) if (nameOf(watch.target) === name) watch.onFailure(message);
  }

  /** The agent was killed, and the prober with it. */
  forget(): void {
    this.watches.clear();
  }
}

export const nameOf = (target: ProbeTarget): string => {
  if ('exec' in target) return target.exec.command.join(' ');
  if ('http' in target) return `http ${target.http.host}:${target.http.port}${target.http.path}`;
  if ('tcp' in target) return `tcp ${target.tcp.host}:${target.tcp.port}`;
  return `grpc ${target.grpc.host}:${target.grpc.port}`;
};
