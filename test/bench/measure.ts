/** Repeated measurement: runs interleaved between the rivals, medians and spread, ratios. */

export interface Sample {
  median: number;
  p10: number;
  p90: number;
  runs: number;
}

/** Times `contenders` round by round, so that a busy moment hits all of them alike. Milliseconds. */
export async function interleaved(
  rounds: number,
  contenders: Record<string, () => Promise<number | undefined>>,
): Promise<Record<string, Sample>> {
  const times: Record<string, number[]> = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  // The first ones find caches cold.
  const warmUps = Math.min(2, Math.ceil(rounds / 10));
  for (let round = -warmUps; round < rounds; round++) {
    for (const [name, run] of Object.entries(contenders)) {
      const started = performance.now();
      const own = await run();
      if (round >= 0) times[name]!.push(own ?? performance.now() - started);
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, sample(values)]));
}

export function sample(values: number[]): Sample {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { median: at(0.5), p10: at(0.1), p90: at(0.9), runs: sorted.length };
}

export interface Row {
  what: string;
  figure: string;
  /** Ratio to the rival, and what it may be at most. */
  ratio?: number;
  budget?: number;
  note?: string;
  /** The ratio is one to a time by the clock, which says nothing on an emulated machine. */
  byClock?: boolean;
}

/** This machine is emulated by another: EDGEPOD_BENCH_EMULATED=1. */
export const EMULATED = process.env.EDGEPOD_BENCH_EMULATED === '1';

export function ms({ median, p10, p90, runs }: Sample): string {
  return `${median.toFixed(2)} ms (${p10.toFixed(2)}–${p90.toFixed(2)}, n=${runs})`;
}

/** A section of the report, figures beside budgets; nothing here decides anything. */
export function report(title: string, rows: Row[]): void {
  process.stdout.write(`\n${title}\n`);
  const width = Math.max(...rows.map(({ what }) => what.length));
  for (const row of rows) {
    const { what, figure, ratio, budget, note } = row;
    const judged = judgement(row);
    const ratioText = ratio === undefined ? '' : `  ratio ${ratio.toFixed(3)}`;
    const budgetText = budget === undefined ? '' : `  budget ≤ ${budget}`;
    process.stdout.write(
      `  ${what.padEnd(width)}  ${figure}${ratioText}${budgetText}${judged}${note ? `  (${note})` : ''}\n`,
    );
  }
}

function judgement({ ratio, budget, byClock = false }: Row): string {
  if (ratio === undefined || budget === undefined) return '';
  if (byClock && EMULATED) return '  not judged';
  return ratio <= budget ? '  within' : '  OVER';
}
