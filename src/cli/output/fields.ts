/** Lines of `describe`. */

export function field(label: string, value: string | undefined): string {
  return `${`${label}:`.padEnd(16)}${value || '<none>'}`;
}

/** `a=1, b=2`. */
export function pairs(map: Record<string, string> | undefined): string {
  return Object.entries(map ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
}
