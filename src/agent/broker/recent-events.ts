/** The newest events of this board, in memory, for whoever asks later: the broker retains none. Gone with the agent. */

/** A v1 Event as it was published. */
export interface PublishedEvent {
  involvedObject: { kind: string; namespace: string; name: string };
  [field: string]: unknown;
}

export type EventFilter = Partial<PublishedEvent['involvedObject']>;

/** About 100 KB at most usual lengths. */
const KEPT = 256;

export class RecentEvents {
  /** As text: an object of so many small fields is several times as large. */
  readonly #bodies: string[] = [];

  add(body: string): void {
    this.#bodies.push(body);
    if (this.#bodies.length > KEPT) this.#bodies.shift();
  }

  /** Those about what the filter names, oldest first. */
  list({ kind, namespace, name }: EventFilter): PublishedEvent[] {
    const matches = ({ involvedObject: about }: PublishedEvent) =>
      (kind === undefined || about.kind === kind) &&
      (namespace === undefined || about.namespace === namespace) &&
      (name === undefined || about.name === name);
    return this.#bodies.map((body) => JSON.parse(body) as PublishedEvent).filter(matches);
  }
}
