/** Decides which figures changed enough to be worth a message: flash and bytes are budgets. */

/** A tree of numbers (and labels), as published on the metrics topic. */
export type Figures = { [key: string]: number | string | Figures | Figures[] | undefined };

export interface ChangeRule {
  /** Relative change, of the larger of the two, that counts. */
  share: number;
  /** Changes below this never count, whatever their share. */
  floor: number;
}

const DEFAULT_RULE: ChangeRule = { share: 0.05, floor: 1 };

/**
 * Whether `next` differs from `last` enough to be sent: a key appeared or went, a label changed, or a number moved
 * by more than its rule. Counters that only ever grow (`ignore`) do not count by themselves.
 */
export function changedEnough(
  last: Figures | undefined,
  next: Figures,
  rules: Readonly<Record<string, ChangeRule>>,
  ignore: ReadonlySet<string>,
): boolean {
  if (last === undefined) return true;
  const keys = new Set([...Object.keys(last), ...Object.keys(next)]);
  for (const key of keys) {
    if (!ignore.has(key) && valueChanged(last[key], next[key], rules[key] ?? DEFAULT_RULE, rules, ignore)) return true;
  }
  return false;
}

function valueChanged(
  last: Figures[string],
  next: Figures[string],
  rule: ChangeRule,
  rules: Readonly<Record<string, ChangeRule>>,
  ignore: ReadonlySet<string>,
): boolean {
  if (typeof last === 'number' && typeof next === 'number') {
    const moved = Math.abs(next - last);
    return moved > rule.floor && moved > rule.share * Math.max(Math.abs(last), Math.abs(next));
  }
  if (Array.isArray(last) && Array.isArray(next)) {
    return last.length !== next.length || next.some((item, at) => changedEnough(last[at], item, rules, ignore));
  }
  if (isTree(last) && isTree(next)) return changedEnough(last, next, rules, ignore);
  return last !== next;
}

function isTree(value: Figures[string]): value is Figures {
  return typeof value === 'object' && !Array.isArray(value);
}
