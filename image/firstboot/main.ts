/**
 * Runs at every boot, before network and agent: makes the board what `edgepod.yaml` on the boot partition says.
 * Nothing is kept but in /run: the card is the truth, and a read-only root makes no difference. Never fails the boot:
 * what is wrong is printed, and noted for `edgepod check` and the login prompt.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { checkCredentials } from './credentials.ts';
import { agentYaml, brokerPlace, issue, networkUnit, printable } from './files.ts';
import { type BoardSettings, boardSettings } from './settings.ts';

const BOOT = '/boot/firmware';
const FILE = `${BOOT}/edgepod.yaml`;
const NOTES = '/run/edgepod-board';
const MAX_CREDENTIAL_BYTES = 1 << 20;

interface Note {
  feature: string;
  consequence: string;
}

const settings = readSettings();
const name = settings.hostname ?? defaultName();
const device = settings.agent.get('device') ?? name;
const broker = settings.agent.get('broker.url');
const problems = [...settings.problems, ...checkCredentials(settings.agent, readCredential)];
if (broker === undefined)
  problems.push({ path: 'broker.url', reason: 'is not set: the board has nobody to take orders from' });
const notes = [...dataPartition(), ...problems.map(({ path, reason }) => note(path, reason))];
const place = brokerPlace(broker);

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
    const reason = whyUnread(error as NodeJS.ErrnoException);
    return { agent: new Map(), authorizedKeys: [], problems: [{ path: '', reason }] };
  }
}

function whyUnread({ code, message }: NodeJS.ErrnoException): string {
  if (code !== 'ENOENT') return `cannot be read: ${message}`;
  // An empty directory is all there is where the partition could not be mounted.
  if (statSync(BOOT).dev === statSync('/').dev)
    return 'cannot be read: the boot partition is not mounted (systemctl status boot-firmware.mount says why)';
  const likely = readdirSync(BOOT).find((name) => /^edgepod\.ya?ml(\..+)?$/i.test(name));
  const hint = likely === undefined ? 'edgepod.example.yaml there shows what it may say' : `is it ${likely}?`;
  return `is not on the boot partition; ${hint}`;
}

/** Text of a file on the card; a device or a film would keep the board from ever being ready. */
function readCredential(path: string): string {
  const found = statSync(path);
  if (!found.isFile()) throw new Error('is not a file');
  if (found.size > MAX_CREDENTIAL_BYTES)
    throw new Error(`is ${found.size} bytes long: no certificate, key or password`);
  return readFileSync(path, 'utf8');
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

/**
 * `edgepod-` and the end of a wired interface's address, so that a rack of new boards has names of their own. The same at
 * every boot: of the board's own interfaces rather than of one on USB that is plugged in some day.
 */
function defaultName(): string {
  const net = '/sys/class/net';
  const wired = readdirSync(net)
    .filter((link) => /^e(n|th)/.test(link))
    .map((link) => ({ link, onUsb: attempt(() => readlinkSync(`${net}/${link}`), '').includes('/usb') }))
    .sort((a, b) => Number(a.onUsb) - Number(b.onUsb) || (a.link < b.link ? -1 : 1));
  // One that is being renamed is gone under its old name.
  const addresses = wired.map(({ link }) => attempt(() => readFileSync(`${net}/${link}/address`, 'utf8').trim(), ''));
  const address = addresses.find((text) => text !== '') ?? '';
  return `edgepod-${address.replaceAll(':', '').slice(-6) || 'board'}`;
}

function attempt<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch {
    return otherwise;
  }
}

/** Says what cannot be written: one file less must not cost the board the others. */
function write(path: string, text: string, mode: number): void {
  try {
    mkdirSync(path.slice(0, path.lastIndexOf('/')), { recursive: true, mode: 0o755 });
    writeFileSync(path, text, { mode });
  } catch (error) {
    process.stderr.write(`edgepod: ${path}: ${(error as Error).message}\n`);
  }
}
