/** What systemd is told about the agent, sd_notify(3): ready, alive, how it goes, about to end. */

export interface ServiceManagerOptions {
  /** False when nobody listens. */
  notify: (state: string) => boolean;
  /** One line about how things are, for `systemctl status`. */
  status: () => string;
  env: NodeJS.ProcessEnv;
  pid: number;
}

/** Of the watchdog's interval: two signs of life may be late before it ends us. */
const SIGNS_PER_INTERVAL = 3;
/** Without a watchdog the status line alone is kept true. */
const STATUS_MS = 20_000;

export class ServiceManager {
  #options: ServiceManagerOptions;
  #timer: NodeJS.Timeout | undefined;
  #said = '';

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
  }

  /** From now on signs of life come from the event loop: one that is stuck is found out. No-op without systemd. */
  ready(): void {
    const { notify, status, env } = this.#options;
    this.#said = status();
    if (env.NOTIFY_SOCKET === undefined || !notify(`READY=1\nSTATUS=${this.#said}`)) return;
    const watchdogMs = this.#watchdogMs();
    const period = watchdogMs === undefined ? STATUS_MS : watchdogMs / SIGNS_PER_INTERVAL;
    this.#timer = setInterval(() => this.#tick(watchdogMs !== undefined), period);
    this.#timer.unref();
  }

  /** The end has begun; how long it may take is the service manager's to say. */
  stopping(): void {
    clearInterval(this.#timer);
    this.#options.notify('STOPPING=1\nSTATUS=stopping; pods keep running');
  }

  #tick(watched: boolean): void {
    const { notify, status } = this.#options;
    const now = status();
    const lines = [...(watched ? ['WATCHDOG=1'] : []), ...(now === this.#said ? [] : [`STATUS=${now}`])];
    this.#said = now;
    if (lines.length > 0) notify(lines.join('\n'));
  }

  /** The interval is meant for one process; a child that inherited the variable is not it. */
  #watchdogMs(): number | undefined {
    const { env, pid } = this.#options;
    const micros = Number(env.WATCHDOG_USEC);
    if (!(micros > 0) || (env.WATCHDOG_PID !== undefined && env.WATCHDOG_PID !== String(pid))) return undefined;
    return micros / 1000;
  }
}
