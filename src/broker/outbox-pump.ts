import { LogLimiter } from './log-limiter.ts';
import { type BrokerLog, type ConnectionInfo, type Link, LinkError, type SessionListener } from './ports.ts';

/** One message of the outbox; zero bytes clear a retained topic. */
export interface PumpMessage {
  kind: 'retained' | 'event';
  topic: string;
  body: Uint8Array;
  digest: string;
  seq: number;
}

/** The durable queue the pump empties (store.outbox). */
export interface PumpOutbox {
  /** The first `limit` messages waiting, in the order to be sent. */
  pending(limit: number): PumpMessage[];
  /** These have reached the broker, or never will: one durable write. */
  acknowledge(messages: readonly PumpMessage[]): void;
}

export interface PumpOptions {
  outbox: PumpOutbox;
  link: Link;
  log: BrokerLog;
  /** A smaller body for a retained topic whose own is larger than the broker takes; undefined: there is none. */
  truncate?: (topic: string, body: Uint8Array, maximumPacketSize: number) => Uint8Array | undefined;
  /** Told about messages that could not be delivered at all (too large). */
  onDropped?: (message: PumpMessage, reason: string) => void;
}

/** Acknowledgements gathered into one disk write. */
const ACK_BATCH = 8;
/** Reason code "quota exceeded": the only refusal that passes by itself. */
const QUOTA_EXCEEDED = 0x97;
const QUOTA_RETRY_MS = 30_000;
/** After the store failed; it is the disk that needs time. */
const STORE_RETRY_MS = 10_000;

/**
 * Sends the outbox while there is a connection. INVARIANTS
 * - One publish per topic is on the wire at a time for retained topics, so the newest body is the last to arrive.
 * - A message leaves the outbox only after its PUBACK: at least once, over crashes and reconnects.
 * - A message the broker refuses is parked until the next connection, and does not hold up the others.
 * - Nothing is scheduled while there is nothing to send: work starts with `wake`, a PUBACK or a connection.
 */
export class OutboxPump implements SessionListener {
  #options: PumpOptions;
  #limiter = new LogLimiter();
  #window = 0;
  #maximumPacketSize = 0;
  /** Keys of what is on the wire, or acknowledged but not yet noted on disk. */
  #busy = new Set<string>();
  #parked = new Set<string>();
  #acked: PumpMessage[] = [];
  #retryTimer: NodeJS.Timeout | undefined;
  /** Counts connections: an answer to an earlier one changes nothing. */
  #connection = 0;
  #scheduled = false;

  constructor(options: PumpOptions) {
    this.#options = options;
  }

  connected({ window, maximumPacketSize }: ConnectionInfo): void {
    this.#connection += 1;
    this.#window = window;
    this.#maximumPacketSize = maximumPacketSize;
    this.#parked.clear();
    this.wake();
  }

  disconnected(): void {
    clearTimeout(this.#retryTimer);
    this.#flush();
    this.#connection += 1;
    this.#busy.clear();
  }

  room(): void {
    this.wake();
  }

  /** Something was added to the outbox. Cheap, and safe at any time. */
  wake(): void {
    if (this.#scheduled || !this.#options.link.connected) return;
    this.#scheduled = true;
    // Once per turn of the event loop: a burst of changes is read, and coalesced, together.
    setImmediate(() => {
      this.#scheduled = false;
      this.#guarded(() => this.#fill());
    });
  }

  #fill(): void {
    const { link, outbox } = this.#options;
    if (!link.connected) return;
    if (this.#acked.length >= ACK_BATCH || this.#acked.length === this.#busy.size) this.#flush();
    // Every free slot at once: our next packet carries the TCP acknowledgement that the broker's further PUBACKs may be
    // waiting for (Nagle), which is worth more than saving the read.
    if (link.freeSlots === 0) return;
    const candidates = outbox.pending(this.#window + this.#busy.size + this.#parked.size);
    for (const message of candidates) {
      if (link.freeSlots === 0) break;
      if (!this.#busy.has(keyOf(message)) && !this.#parked.has(parkKey(message))) this.#send(message);
    }
    // Everything was too large, and dropped: there may be more behind it.
    if (this.#acked.length > 0 && this.#acked.length === this.#busy.size) this.wake();
  }

  #send(message: PumpMessage): void {
    const body = this.#fitting(message);
    this.#busy.add(keyOf(message));
    if (body === undefined) {
      this.#acked.push(message);
      return;
    }
    const connection = this.#connection;
    this.#options.link.publish(message.topic, body, { retain: message.kind === 'retained' }).then(
      () => this.#settled(connection, message, undefined),
      (error: unknown) => this.#settled(connection, message, error),
    );
  }

  /** The body to send, smaller if need be; undefined when the message cannot be sent at all. */
  #fitting(message: PumpMessage): Uint8Array | undefined {
    const { link, truncate, onDropped, log } = this.#options;
    if (link.fits(message.topic, message.body)) return message.body;
    const smaller = truncate?.(message.topic, message.body, this.#maximumPacketSize);
    if (smaller !== undefined && link.fits(message.topic, smaller)) return smaller;
    const reason = `${message.body.length} bytes are more than the broker takes (${this.#maximumPacketSize})`;
    log.warn({ event: 'outbox.dropped', topic: message.topic, size: message.body.length }, reason);
    onDropped?.(message, reason);
    return undefined;
  }

  #settled(connection: number, message: PumpMessage, error: unknown): void {
    if (connection !== this.#connection) return;
    if (error === undefined) {
      this.#acked.push(message);
    } else {
      this.#busy.delete(keyOf(message));
      if (!(error instanceof LinkError) || error.code === 'link-down') return;
      this.#park(message, error);
    }
    this.wake();
  }

  #park(message: PumpMessage, error: LinkError): void {
    this.#parked.add(parkKey(message));
    this.#limiter.pass(`refused ${error.reasonCode}`, (suppressed) =>
      this.#options.log.warn(
        { event: 'outbox.refused', topic: message.topic, reasonCode: error.reasonCode, suppressed },
        `${error.message}: see the broker’s access list; tried again at the next connection`,
      ),
    );
    if (error.reasonCode !== QUOTA_EXCEEDED) return;
    this.#retryLater(QUOTA_RETRY_MS, () => this.#parked.clear());
  }

  /** Notes on disk what has arrived. */
  #flush(): void {
    const acked = this.#acked.splice(0);
    if (acked.length === 0) return;
    for (const message of acked) this.#busy.delete(keyOf(message));
    this.#guarded(() => this.#options.outbox.acknowledge(acked));
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      // What is not noted as arrived is sent again: once too often is allowed.
      this.#limiter.pass('store', (suppressed) =>
        this.#options.log.error({ err: error, suppressed }, 'the outbox cannot be read or written'),
      );
      this.#retryLater(STORE_RETRY_MS, () => {});
    }
  }

  #retryLater(milliseconds: number, before: () => void): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => {
      before();
      this.wake();
    }, milliseconds);
    this.#retryTimer.unref();
  }
}

/** Events are told apart by number, retained messages by topic: a topic never has two on the wire. */
function keyOf({ kind, topic, seq }: PumpMessage): string {
  return kind === 'event' ? `event ${seq}` : topic;
}

/** A parked retained topic gets another try when its body changes. */
function parkKey(message: PumpMessage): string {
  return `${keyOf(message)} ${message.digest}`;
}
