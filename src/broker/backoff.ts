/** Shortest wait. Not 0: MQTT.js takes a reconnect period of 0 for "never again". */
const FLOOR_MS = 100;
const BASE_MS = 1000;
const CAP_MS = 60_000;

/**
 * Pure: milliseconds to wait before attempt `attempt + 1`, attempts counted from 0 since the last connection that held.
 * Exponential with full jitter, so that a fleet does not come back as one wave. `random` yields [0, 1).
 */
export function reconnectDelay(attempt: number, random: () => number): number {
  const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt, 16));
  return Math.max(FLOOR_MS, Math.round(random() * ceiling));
}
