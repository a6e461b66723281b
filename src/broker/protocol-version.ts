/** Which MQTT version the next connection attempt speaks. */
export interface ProtocolChoice {
  version: 4 | 5;
  /** Connections the peer closed without answering CONNECT, in a row. */
  silentCloses: number;
}

export type AttemptOutcome =
  /** CONNACK: unacceptable protocol version. */
  | 'version-refused'
  /** Closed after TCP was up, before any CONNACK: how some 3.1.1 brokers refuse version 5. */
  | 'closed-silently'
  /** A connection that had been accepted ended. */
  | 'lost'
  /** Anything else: unreachable, bad password, … */
  | 'failed';

export const FIRST_CHOICE: ProtocolChoice = { version: 5, silentCloses: 0 };

/** Silent closes before the other version gets a try: one may be a broker that is just starting. */
const SILENT_CLOSES = 3;

/**
 * Pure: version 5 first, 3.1.1 when 5 is refused, and 5 again after every loss, because the broker may have been upgraded
 * in between (one refused attempt is all it costs).
 */
export function nextProtocol(choice: ProtocolChoice, outcome: AttemptOutcome): ProtocolChoice {
  const other = choice.version === 5 ? 4 : 5;
  if (outcome === 'version-refused') return { version: other, silentCloses: 0 };
  if (outcome === 'lost') return FIRST_CHOICE;
  if (outcome === 'failed') return choice;
  const silentCloses = choice.silentCloses + 1;
  return silentCloses < SILENT_CLOSES ? { ...choice, silentCloses } : { version: other, silentCloses: 0 };
}
