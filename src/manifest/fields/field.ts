/** What a field table says about one field, and the words the tables are written in. */

/** yes: honoured · ignored: accepted, has no effect here · refused: a manifest that sets it is not accepted. */
export type Support = 'yes' | 'ignored' | 'refused';

export interface Field {
  support: Support;
  note: string;
  /** Values that ask for nothing beyond what is done anyway: accepted without a word. So are null, {}, [] and "". */
  neutral: readonly unknown[];
  /** Ignored without a warning: bookkeeping of an API server, not a wish of the operator. */
  quiet: boolean;
  /** Even an empty object is a wish: `nfs: {}`. */
  strict: boolean;
  /** Refused because it makes no sense there, in Kubernetes either. */
  forbidden: boolean;
}

export type FieldTable = Readonly<Record<string, Field>>;

const BASE: Omit<Field, 'support' | 'note'> = { neutral: [], quiet: false, strict: false, forbidden: false };
const LATER = 'not in this version';

export const yes = (note = ''): Field => ({ ...BASE, support: 'yes', note });
export const ignored = (note: string, ...neutral: unknown[]): Field => ({ ...BASE, support: 'ignored', note, neutral });
export const quiet = (note: string): Field => ({ ...BASE, support: 'ignored', note, quiet: true });
export const refused = (note = LATER, ...neutral: unknown[]): Field => ({ ...BASE, support: 'refused', note, neutral });
export const forbidden = (note: string): Field => ({ ...refused(note), forbidden: true });
export const strict = (note = LATER): Field => ({ ...BASE, support: 'refused', note, strict: true });

/** One entry for several names, given as words. */
export const many = (names: string, field: Field): FieldTable =>
  Object.fromEntries(names.split(' ').map((name) => [name, field]));
