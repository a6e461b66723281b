/** What the settings become: the text of the files the board's other programs read. Pure. */
import { stringify } from 'yaml';
import type { BoardSettings, Lan } from './settings.ts';

/** The agent's configuration file. */
export function agentYaml(settings: BoardSettings['agent'], device: string): string {
  const tree: Record<string, unknown> = { device };
  for (const [key, value] of settings) {
    const names = key.split('.');
    const last = names.pop()!;
    let node = tree;
    for (const name of names) {
      node[name] ??= {};
      node = node[name] as Record<string, unknown>;
    }
    node[last] = key === 'groups' ? value.split(',') : value;
  }
  return `# Made at every boot from edgepod.yaml on the boot partition: change that one.\n${stringify(tree)}`;
}

/** A systemd-networkd unit. */
export function networkUnit({ interface: name, address, gateway, dns, ntp }: Lan): string {
  const lines = [
    '[Match]',
    `Name=${name}`,
    '',
    '[Network]',
    ...(address === undefined ? ['DHCP=yes'] : [`Address=${address}`]),
    ...(gateway === undefined ? [] : [`Gateway=${gateway}`]),
    ...dns.map((server) => `DNS=${server}`),
    ...ntp.map((server) => `NTP=${server}`),
    ...(address === undefined ? ['', '[DHCPv4]', 'ClientIdentifier=mac'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** Shown above the console's login prompt. */
export function issue(
  device: string,
  broker: string,
  problems: readonly { feature: string; consequence: string }[],
): string {
  const lines = [`edgepod board ${device}, broker ${broker}, address \\4`];
  if (problems.length > 0) lines.push('', 'This board needs attention:');
  // A backslash would be an escape of agetty's.
  for (const { feature, consequence } of problems) lines.push(`  ${feature}: ${consequence}`.replaceAll('\\', '/'));
  return `${lines.join('\n')}\n\n`;
}

/** A person's text for a terminal: on one line, and without what a terminal would obey. */
export const printable = (text: string): string => text.replaceAll(/\p{C}+/gu, ' ');

/** Where the broker is, without the user and password that a URL may carry: it is shown to whoever stands before the board. */
export function brokerPlace(url: string | undefined): string {
  if (url === undefined) return 'none';
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}
