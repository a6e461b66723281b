/** Lines of `describe`. */

export function field(label: string, value: string | undefined): string {
  return `${`${label}:`.padEnd(16)}${value || '<none>'}`;
}

/** A heading with lines below it, or that there are none. */
export function section(label: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [field(label, undefined)] : [`${label}:`, ...lines.map((line) => `  ${line}`)];
}

/** `a=1, b=2`. */
export function pairs(map: Record<string, string> | undefined): string {
  return Object.entries(map ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
}
