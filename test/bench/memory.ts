/** Memory of processes, from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Memory {
  rss: number;
  pss: number;
  anon: number;
}

/** KiB. */
export function memoryOf(pid: number): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (text: string, name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return { rss: field(status, 'VmRSS'), pss: field(rollup, 'Pss'), anon: field(status, 'RssAnon') };
}

/** Processes whose command name is `name`. */
export function pidsNamed(name: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === name;
      } catch {
        return false;
      }
    });
}

export function memoryText({ rss, pss, anon }: Memory): string {
  return `RSS ${rss} KiB, PSS ${pss} KiB, anonymous ${anon} KiB`;
}
