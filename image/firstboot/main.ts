/**
 * Runs at every boot, before network and agent: makes the board what `edgepod.yaml` on the boot partition says.
 * Nothing is kept but in /run: the card is the truth, and a read-only root makes no difference. Never fails the boot:
 * what is wrong is printed, and noted for `edgepod check` and the login prompt.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { checkCredentials } from './credentials.ts';
import { agentYaml, brokerPlace, issue, networkUnit, printable } from './files.ts';
import { type BoardSettings, boardSettings } from './settings.ts';

const BOOT = '/boot/firmware';
const FILE = `${BOOT}/edgepod.yaml`;
const NOTES = '/run/edgepod-board';

interface Note {
  feature: string;
  consequence: string;
}

const settings = readSettings();
const name = settings.hostname ?? defaultName();
const device = settings.agent.get('device') ?? name;
const broker = settings.agent.get('broker.url');
const problems = [...settings.problems, ...checkCredentials(settings.agent, (path) => readFileSync(path, 'utf8'))];
if (broker === undefined)
  problems.push({ path: 'broker.url', reason: 'is not set: the board has nobody to take orders from' });
const notes = [...dataPartition(), ...problems.map(({ path, reason }) => note(path, reason))];
const place = brokerPlace(broker);

mkdirSync(NOTES, { recursive: true, mode: 0o755 });
write(`${NOTES}/agent.yaml`, agentYaml(settings.agent, device), 0o600);
write(`${NOTES}/problems.json`, JSON.stringify(notes), 0o644);
write('/run/issue.d/edgepod.issue', issue(device, place, notes), 0o644);
if (settings.lan) write('/run/systemd/network/50-lan.network', networkUnit(settings.lan), 0o644);
if (settings.authorizedKeys.length > 0)
  write(`${NOTES}/authorized_keys`, `${settings.authorizedKeys.join('\n')}\n`, 0o600);
write('/proc/sys/kernel/hostname', name, 0o644);

process.stdout.write(`edgepod: board ${device}, broker ${place}\n`);
for (const { feature, consequence } of notes) process.stderr.write(`edgepod: ${feature}: ${consequence}\n`);

function readSettings(): BoardSettings {
  try {
    return boardSettings(readFileSync(FILE, 'utf8'), BOOT);
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? 'is not on the boot partition; edgepod.example.yaml there shows what it may say'
        : `cannot be read: ${(error as Error).message}`;
    return { agent: new Map(), authorizedKeys: [], problems: [{ path: '', reason }] };
  }
}

function note(path: string, reason: string): Note {
  return { feature: 'edgepod.yaml', consequence: printable(path === '' ? reason : `${path}: ${reason}`) };
}

/** What data-partition noted. */
function dataPartition(): Note[] {
  if (!existsSync(`${NOTES}/data-problem`)) return [];
  const [reason, remedy] = readFileSync(`${NOTES}/data-problem`, 'utf8').split('\n');
  const consequence = `${reason}. Images, volumes and desired state are in memory until the next boot; ${remedy}`;
  return [{ feature: 'data partition', consequence: printable(consequence) }];
}

/** `edgepod-` and the end of the first wired interface's address, so that a rack of new boards has names of their own. */
function defaultName(): string {
  const net = '/sys/class/net';
  const wired = readdirSync(net)
    .filter((link) => /^e(n|th)/.test(link))
    .sort();
  const address = wired[0] === undefined ? '' : readFileSync(`${net}/${wired[0]}/address`, 'utf8').trim();
  return `edgepod-${address.replaceAll(':', '').slice(-6) || 'board'}`;
}

function write(path: string, text: string, mode: number): void {
  mkdirSync(path.slice(0, path.lastIndexOf('/')), { recursive: true });
  writeFileSync(path, text, { mode });
}
