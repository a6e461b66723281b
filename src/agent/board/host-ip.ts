/** The address under which the board is known: its first IPv4 one that is neither loopback nor a bridge of pods. */
import { networkInterfaces } from 'node:os';

export function hostIp(bridge: string): string | undefined {
  for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
    if (name === bridge || name.startsWith('edgepod')) continue;
    const found = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
    if (found) return found.address;
  }
  return undefined;
}
