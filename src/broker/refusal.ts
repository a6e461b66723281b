/** CONNACK codes for "not this protocol version": 1 in MQTT 3.1.1, 132 in MQTT 5. */
const VERSION_REFUSED: readonly number[] = [1, 132];

/** Pure: does the error of a connection attempt mean that the broker does not speak our version of MQTT? */
export function isVersionRefusal(code: unknown): boolean {
  return typeof code === 'number' && VERSION_REFUSED.includes(code);
}

/** What went wrong with a connection and, where there is something, what to do about it: one line for a person. */
export function withHint(message: string, code: unknown, now: Date): string {
  const hint = connectHint(code, now);
  return hint === undefined ? message : `${message}: ${hint}`;
}

/**
 * What somebody can do about a connection error; `code` is an errno name, or a CONNACK code (MQTT 5's, or 3.1.1's 2–5).
 * Undefined where there is nothing to do but to wait.
 * @param now what the board's clock says
 */
export function connectHint(code: unknown, now: Date): string | undefined {
  switch (code) {
    case 4:
    case 134:
      return 'user name or password are wrong: see broker.username and broker.passwordFile';
    case 5:
    case 135:
      return 'the broker does not let this user in: see its password file and access list';
    case 2:
    case 133:
      return 'the broker does not accept this client id: the device id may have a character it does not take';
    case 'ECONNREFUSED':
      return 'nothing listens there: is the broker running, are host and port right?';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name cannot be resolved: is the network up, is the name right?';
    case 'CERT_NOT_YET_VALID':
    case 'CERT_HAS_EXPIRED':
      return `the broker’s certificate is outside its validity by the clock of this board, which says ${now.toISOString().slice(0, 19)}Z: is it right?`;
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return 'the broker’s certificate is not signed by a known authority: see broker.caFile';
    default:
      return undefined;
  }
}

/** DISCONNECT reason 142: somebody else connected with our client id. */
export const SESSION_TAKEN_OVER = 142;
