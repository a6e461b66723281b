/** kubectl's tables: columns padded with spaces, three apart, upper-case headings, no lines. */

const GAP = '   ';

/** Rows of equal length under `headings`; empty cells print as `<none>`. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows.map((row) => row.map((cell) => cell || '<none>'))];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!))).join(GAP),
    )
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}
