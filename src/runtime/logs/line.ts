/** CRI log lines: `2016-10-06T00:17:09.669794202Z stdout F text`. Pure. */

export interface LogLine {
  /** RFC 3339 with nanoseconds, UTC. */
  time: string;
  stream: 'stdout' | 'stderr';
  /** Bytes that are no UTF-8 are replaced. */
  text: string;
  /** No newline follows: the next line of the same stream goes on with it. */
  partial: boolean;
}

/** Undefined for what is no CRI line (a torn write, foreign text). Tags after the first are for later versions. */
export function parseLogLine(line: string): LogLine | undefined {
  const timeEnd = line.indexOf(' ');
  const streamEnd = line.indexOf(' ', timeEnd + 1);
  if (timeEnd < 0 || streamEnd < 0) return undefined;
  const tagEnd = line.indexOf(' ', streamEnd + 1);
  const time = line.slice(0, timeEnd);
  const stream = line.slice(timeEnd + 1, streamEnd);
  const tags = line.slice(streamEnd + 1, tagEnd < 0 ? undefined : tagEnd).split(':');
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  if (tags[0] !== 'F' && tags[0] !== 'P') return undefined;
  return { time, stream, text: tagEnd < 0 ? '' : line.slice(tagEnd + 1), partial: tags[0] === 'P' };
}
