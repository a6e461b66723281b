/** Validates `lifecycle`: hooks, and the signal that stops the container. */
import type { ContainerPort } from '../types/container.ts';
import type { Lifecycle, LifecycleHandler } from '../types/probes.ts';
import { checkFields } from './field-check.ts';
import { HANDLERS, readHandler } from './handlers.ts';
import type { Issues } from './issues.ts';
import { notEmpty, present, readChoice, readInteger, readObject, readString, unlessBlank } from './read.ts';

const KINDS = [...HANDLERS, 'sleep'] as const;

/** Linux' names without `SIG`, real-time ones aside. */
const SIGNALS: ReadonlySet<string> = new Set(
  (
    'ABRT ALRM BUS CHLD CONT FPE HUP ILL INT IO KILL PIPE PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP ' +
    'TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ'
  ).split(' '),
);
/** Other names of some of them, which Kubernetes takes too. */
const SAME_SIGNALS: ReadonlyMap<string, string> = new Map([
  ['SIGCLD', 'SIGCHLD'],
  ['SIGIOT', 'SIGABRT'],
  ['SIGPOLL', 'SIGIO'],
]);
const REAL_TIME = /^SIG(RTMIN(\+([1-9]|1[0-5]))?|RTMAX(-([1-9]|1[0-4]))?)$/;

/** @param graceSeconds of the pod: a hook that sleeps longer would never end */
export function readLifecycle(
  issues: Issues,
  path: string,
  value: unknown,
  { ports, graceSeconds }: { ports: readonly ContainerPort[]; graceSeconds: number },
): Lifecycle | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'Lifecycle', raw, path);
  const hook = (name: 'postStart' | 'preStop') => readHook(issues, `${path}.${name}`, raw[name], ports, graceSeconds);
  return notEmpty(
    present({
      postStart: hook('postStart'),
      preStop: hook('preStop'),
      stopSignal: readStopSignal(issues, `${path}.stopSignal`, raw.stopSignal),
    }),
  );
}

function readHook(
  issues: Issues,
  path: string,
  value: unknown,
  ports: readonly ContainerPort[],
  graceSeconds: number,
): LifecycleHandler | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'LifecycleHandler', raw, path);
  const kind = readChoice(issues, path, raw, KINDS);
  if (kind === undefined) return undefined;
  if (kind !== 'sleep') return readHandler(issues, path, kind, raw[kind], ports);
  return present({ sleep: readSleep(issues, `${path}.sleep`, raw.sleep, graceSeconds) });
}

function readSleep(
  issues: Issues,
  path: string,
  value: unknown,
  graceSeconds: number,
): LifecycleHandler['sleep'] | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'SleepAction', raw, path);
  if (raw.seconds === undefined || raw.seconds === null) return void issues.required(`${path}.seconds`);
  const seconds = readInteger(issues, `${path}.seconds`, raw.seconds);
  if (seconds === undefined) return undefined;
  if (seconds > graceSeconds)
    issues.invalid(`${path}.seconds`, seconds, `must be no more than terminationGracePeriodSeconds (${graceSeconds})`);
  return { seconds };
}

function readStopSignal(issues: Issues, path: string, value: unknown): string | undefined {
  const text = readString(issues, path, unlessBlank(value));
  if (text === undefined) return undefined;
  const name = SAME_SIGNALS.get(text) ?? text;
  if (REAL_TIME.test(name) || (name.startsWith('SIG') && SIGNALS.has(name.slice(3)))) return name;
  issues.invalid(path, text, 'must be the name of a signal of Linux, like SIGTERM, SIGUSR1 or SIGRTMIN+3');
  return undefined;
}
