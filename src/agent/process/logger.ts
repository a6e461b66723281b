/** The agent's log: one JSON object a line on standard output, written at once. journald or a file takes it from there. */
import { type Logger, pino } from 'pino';

export function createLogger(level: string): Logger {
  // Synchronous: what was logged before a crash is there, and no worker thread costs 9 MB.
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ sync: true }));
}
