/** What `get` prints of one kind: a table that `--watch` goes on with, or objects as they are. */
import { printObjects } from '../output/print.ts';
import { table } from '../output/table.ts';
import type { GetQuery } from './flags.ts';

export interface Listed<T> {
  headings: string[];
  row: (item: T) => string[];
  /** For json and yaml. */
  object: (item: T) => unknown;
  /** Says that there is none; not called where names were given, each of which was complained of. */
  sayNone: () => void;
}

export class Listing<T> {
  readonly #listed: Listed<T>;
  readonly #query: Pick<GetQuery, 'names' | 'format' | 'flags'>;
  /** What was there at first; rows that come later are as wide as these. */
  #first: string[][] = [];

  constructor(query: Pick<GetQuery, 'names' | 'format' | 'flags'>, listed: Listed<T>) {
    this.#query = query;
    this.#listed = listed;
  }

  /** Everything there is now. */
  async all(items: readonly T[]): Promise<void> {
    const { names, format, flags } = this.#query;
    const { headings, row, object, sayNone } = this.#listed;
    if (format === 'json' || format === 'yaml') {
      if (items.length > 0 || names.length !== 1) await printObjects(items.map(object), format, names.length === 1);
      return;
    }
    this.#first = items.map(row);
    if (items.length > 0 || flags.watch) process.stdout.write(table(headings, this.#first));
    else if (names.length === 0) sayNone();
  }

  /** One that came or changed since. */
  async one(item: T): Promise<void> {
    const { format } = this.#query;
    const { headings, row, object } = this.#listed;
    if (format === 'json' || format === 'yaml') return printObjects([object(item)], format, true);
    const text = table(headings, [...this.#first, row(item)]);
    process.stdout.write(`${text.trimEnd().split('\n').at(-1)}\n`);
  }
}
