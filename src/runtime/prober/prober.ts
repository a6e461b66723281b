/**
 * The `Prober` port. Plain HTTP, TCP and gRPC are asked and counted by one native thread (native/lib/probe/), which
 * wakes JavaScript for verdicts only; commands, HTTPS and hosts given by name are asked from here.
 */
import { isIP } from 'node:net';
import type { Prober, ProbeTarget, ProbeTiming, ProbeVerdict } from '../../pods/ports.ts';
import { runtimeError } from '../errors.ts';
import type { Addon, NativeProbeTarget } from '../native.ts';
import { type Attempt, execAttempt, httpAttempt, lookupAttempt, userAgent } from './attempts.ts';
import { watchAttempt } from './watch.ts';

export class NativeProber implements Prober {
  readonly #addon: Addon;
  #nextId = 1;

  constructor(addon: Addon) {
    this.#addon = addon;
  }

  watch(
    target: ProbeTarget,
    timing: ProbeTiming,
    onVerdict: (verdict: ProbeVerdict) => void,
    onFailure: (message: string) => void = () => {},
  ): { stop(): void } {
    const native = nativeTarget(target);
    if (!native) return watchAttempt(this.#attempt(target), timing, { onVerdict, onFailure });
    let watch: { stop(): void } | undefined;
    const id = this.#add(native, timing, (outcome, message) => {
      if (outcome === 'unhealthy') return onFailure(message);
      if (outcome !== 'handover') return onVerdict({ ok: outcome === 'success', message });
      // The server redirects to https: its probe is asked from here, from now on.
      watch = watchAttempt(this.#attempt(target, true), { ...timing, initialDelayMs: 0 }, { onVerdict, onFailure });
    });
    return {
      stop: () => {
        this.#addon.probeRemove(id);
        watch?.stop();
      },
    };
  }

  async once(target: ProbeTarget, timeoutMs: number): Promise<ProbeVerdict> {
    const native = nativeTarget(target);
    try {
      const verdict = native ? await this.#ask(native, target, timeoutMs) : await this.#attempt(target)(timeoutMs);
      return verdict ?? { ok: false, message: 'the container could not be asked' };
    } catch (error) {
      return { ok: false, message: (error as Error).message };
    }
  }

  async #ask(native: NativeProbeTarget, target: ProbeTarget, timeoutMs: number): Promise<ProbeVerdict | undefined> {
    const timing = { initialDelayMs: 0, periodMs: 0, timeoutMs, successThreshold: 1, failureThreshold: 1 };
    const { promise, resolve } = Promise.withResolvers<[string, string]>();
    this.#add(native, timing, (...verdict) => resolve(verdict));
    const [outcome, message] = await promise;
    if (outcome === 'handover') return this.#attempt(target, true)(timeoutMs);
    return { ok: outcome === 'success', message };
  }

  #add(target: NativeProbeTarget, timing: ProbeTiming, onVerdict: (outcome: string, message: string) => void): number {
    const id = this.#nextId++;
    try {
      this.#addon.probeAdd(id, target, timing, onVerdict);
    } catch (error) {
      throw runtimeError(error, { step: 'probe-add', object: `${target.host}:${target.port}` });
    }
    return id;
  }

  #attempt(target: ProbeTarget, handedOver = false): Attempt {
    if ('exec' in target) return execAttempt(target.exec);
    if ('http' in target && (handedOver || target.http.scheme === 'HTTPS' || isIP(target.http.host) === 0))
      return httpAttempt(target.http);
    const { host } = 'http' in target ? target.http : 'tcp' in target ? target.tcp : target.grpc;
    return lookupAttempt(host, (address, timeoutMs) => this.once(withHost(target, address), timeoutMs));
  }
}

/** What the native thread can ask, or undefined. */
function nativeTarget(target: ProbeTarget): NativeProbeTarget | undefined {
  if ('exec' in target) return undefined;
  if ('http' in target) {
    const { scheme, host, port, path, headers, anyStatus = false } = target.http;
    if (scheme !== 'HTTP' || isIP(host) === 0) return undefined;
    return { kind: 'http', host, port, path, headers, userAgent, anyStatus };
  }
  const kind = 'tcp' in target ? 'tcp' : 'grpc';
  const { host, port } = 'tcp' in target ? target.tcp : target.grpc;
  if (isIP(host) === 0) return undefined;
  return { kind, host, port, userAgent, ...('grpc' in target ? { service: target.grpc.service } : {}) };
}

function withHost(target: ProbeTarget, host: string): ProbeTarget {
  if ('tcp' in target) return { tcp: { ...target.tcp, host } };
  if ('grpc' in target) return { grpc: { ...target.grpc, host } };
  return target;
}
