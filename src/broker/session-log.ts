/** What the session tells of its connection: each kind of trouble at most once a minute, with what can be done about it. */
import { LogLimiter } from './log-limiter.ts';
import type { BrokerLog } from './ports.ts';
import { withHint } from './refusal.ts';

export class SessionLog {
  readonly #log: BrokerLog;
  readonly #clientId: string;
  readonly #limiter = new LogLimiter();

  constructor(log: BrokerLog, clientId: string) {
    this.#log = log;
    this.#clientId = clientId;
  }

  lost(): void {
    this.#limiter.pass('lost', (suppressed) =>
      this.#log.warn({ event: 'broker.lost', suppressed }, 'connection to the broker lost'),
    );
  }

  /** `sign`: by what it was recognised. */
  takenOver(sign: string): void {
    this.#limiter.pass('takeover', (suppressed) =>
      this.#log.error(
        { event: 'broker.takeover', clientId: this.#clientId, suppressed },
        `the connection seems to be taken over by another client (${sign}): is the network that bad, or do two devices have one id?`,
      ),
    );
  }

  /** `what` went wrong, as a word for the log's `event`. That the link is down is no news. */
  complain(what: string, error: unknown): void {
    const { code, message } = error as { code?: unknown; message?: string };
    if (code === 'link-down') return;
    this.#limiter.pass(`${what} ${String(code)}`, (suppressed) =>
      this.#log.warn(
        { event: `broker.${what}`, code, suppressed },
        withHint(message ?? String(error), code, new Date()),
      ),
    );
  }

  /** Runs `work`: an exception inside a listener would leave MQTT.js stuck in the middle of its packet loop. */
  guarded(what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#log.error({ err: error, what }, 'internal error in the broker session');
    }
  }
}
