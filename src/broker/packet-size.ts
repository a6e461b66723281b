import type { PublishOptions } from './ports.ts';

/** Fixed header with the longest length field (5), topic length (2), packet id (2), property length (4). */
const OVERHEAD = 13;

/** Upper bound of the encoded size of a PUBLISH, bytes, MQTT 5 (MQTT.js does not check the broker's limit). */
export function publishSize(topic: string, payload: Uint8Array, options: PublishOptions = {}): number {
  let size = OVERHEAD + Buffer.byteLength(topic) + payload.length;
  if (options.correlation !== undefined) size += 3 + options.correlation.length;
  for (const [key, value] of Object.entries(options.userProperties ?? {})) {
    size += 5 + Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  return size;
}
