/**
 * Certificates, key and password file that the settings name: one that cannot be used is left out and said, so that the
 * agent starts and runs its pods. Without it the broker is refused, or refuses; nothing becomes less safe.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { Problem } from './settings.ts';

const CHECKS: Record<string, (text: string) => unknown> = {
  'broker.caFile': (text) => new X509Certificate(text),
  'broker.certFile': (text) => new X509Certificate(text),
  'broker.keyFile': (text) => createPrivateKey(text),
  'broker.passwordFile': () => undefined,
};

/**
 * Removes from `agent` (settings by dotted key) what cannot be used.
 * @param read the text of a file; throws when it cannot be read
 */
export function checkCredentials(agent: Map<string, string>, read: (path: string) => string): Problem[] {
  const problems: Problem[] = [];
  const leaveOut = (key: string, error: unknown) => {
    const path = agent.get(key);
    problems.push({ path: key, reason: `${path}: ${(error as Error).message}; it is left out` });
    agent.delete(key);
  };
  for (const [key, check] of Object.entries(CHECKS)) {
    const path = agent.get(key);
    if (path === undefined) continue;
    try {
      check(read(path));
    } catch (error) {
      leaveOut(key, error);
    }
  }
  checkPair(agent, read, leaveOut);
  return problems;
}

/** A certificate is of no use without its key, nor the other way round. */
function checkPair(
  agent: Map<string, string>,
  read: (path: string) => string,
  leaveOut: (key: string, error: unknown) => void,
): void {
  const [cert, key] = ['broker.certFile', 'broker.keyFile'].map((name) => agent.get(name));
  try {
    if (cert !== undefined && key !== undefined) createSecureContext({ cert: read(cert), key: read(key) });
    else if (cert !== undefined) throw new Error('has no broker.keyFile to it');
    else if (key !== undefined) throw new Error('has no broker.certFile to it');
  } catch (error) {
    for (const name of ['broker.certFile', 'broker.keyFile']) if (agent.has(name)) leaveOut(name, error);
  }
}
