/** Who this agent is, for the presence topic. */
export interface Identity {
  /** The kernel's boot id. */
  bootId: string;
  agentVersion: string;
}

export type PresenceState = 'online' | 'offline' | 'lost';

/**
 * Payload of the presence topic. Will (`lost`) and birth (`online`) of one connection carry the same session number, and
 * every connection a higher one: a receiver that has seen `online` with a higher number knows a `lost` to be late.
 */
export function presence(state: PresenceState, session: number, { bootId, agentVersion }: Identity): Buffer {
  return Buffer.from(JSON.stringify({ state, bootId, session, agentVersion }));
}
