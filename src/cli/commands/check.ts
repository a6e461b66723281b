/** `edgepod check`: whether this board can run pods, line by line, and what to do where it cannot. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import type { AgentConfig } from '../../agent/config/config.ts';
import { action } from '../failure.ts';
import { withSettings } from '../settings.ts';

interface Finding {
  level: 'ok' | 'warn' | 'fail';
  what: string;
  detail: string;
}

/** Of the file system, as for DiskPressure. */
const LITTLE_ROOM = 0.1;

export function registerCheck(program: Command): void {
  withSettings(program.command('check'))
    .description('check what this board’s kernel and set-up can and cannot do')
    .option('-o, --output <format>', 'json')
    .action(
      action(async (flags: Record<string, unknown> & { config?: string; output?: string }) => {
        const { loadConfig } = await import('../../agent/config/load-config.ts');
        const config = await loadConfig(flags.config, flags);
        const findings = [
          ...(await kernelFindings()),
          ...setupFindings(config),
          await rulesFinding(),
          ...(await boardFindings()),
          await brokerFinding(config),
        ];
        if (flags.output === 'json') process.stdout.write(`${JSON.stringify(findings, null, 4)}\n`);
        else
          for (const { level, what, detail } of findings)
            process.stdout.write(`${level.padEnd(5)} ${what.padEnd(24)} ${detail}\n`);
        if (findings.some(({ level }) => level === 'fail')) process.exitCode = 1;
      }),
    );
}

async function kernelFindings(): Promise<Finding[]> {
  const { localFeatures } = await import('../../agent/local/features.ts');
  const { missing, features } = await localFeatures();
  const { kernel, cgroup } = features;
  return [
    { level: 'ok', what: 'kernel', detail: `${kernel.release}, ${kernel.pageSize / 1024} KiB pages` },
    { level: 'ok', what: 'cgroups', detail: `${cgroup.mode}: ${cgroup.controllers.join(' ')}` },
    ...missing.map(
      ({ feature, consequence, fatal }): Finding => ({
        level: fatal ? 'fail' : 'warn',
        what: feature,
        detail: consequence,
      }),
    ),
  ];
}

/** The same, unless its file system is about to be full. */
function roomy(finding: Finding, path: string): Finding {
  if (finding.level !== 'ok') return finding;
  const { bsize, blocks, bavail } = statfsSync(existing(path));
  if (bavail / blocks >= LITTLE_ROOM) return finding;
  const free = Math.floor((bavail * bsize) / (1 << 20));
  const detail = `${path} is nearly full: ${free} MiB free; images cannot be loaded and pods are started with difficulty`;
  return { level: 'warn', what: finding.what, detail };
}

/** Asks the kernel, without changing anything: the tool may be there and the kernel's NAT not. */
async function rulesFinding(): Promise<Finding> {
  const { nftFault } = await import('../../agent/local/features.ts');
  const fault = await nftFault();
  if (fault === undefined) return { level: 'ok', what: 'nftables', detail: 'rules and NAT work' };
  return { level: 'warn', what: 'nftables', detail: `pods have no way out and no hostPort: ${fault}` };
}

function setupFindings({ dataDir, runDir }: AgentConfig): Finding[] {
  const root: Finding =
    process.getuid?.() === 0
      ? { level: 'ok', what: 'user', detail: 'root' }
      : { level: 'fail', what: 'user', detail: 'the agent must run as root to make namespaces and cgroups' };
  return [root, roomy(directory('data directory', dataDir), dataDir), directory('run directory', runDir)];
}

/** What is there of a path that the agent will make when it starts. */
const existing = (path: string): string => (existsSync(path) ? path : existing(dirname(path)));

function directory(what: string, path: string): Finding {
  const found = existing(path);
  try {
    accessSync(found, constants.W_OK);
    return { level: 'ok', what, detail: found === path ? path : `${path}, made when the agent starts` };
  } catch (error) {
    return { level: 'fail', what, detail: `${path} cannot be written: ${(error as Error).message}` };
  }
}

/** What is wrong with the board itself: what the device image noted when it was switched on, and its clock. */
async function boardFindings(): Promise<Finding[]> {
  const { clockNotes, deviceImageNotes } = await import('../../agent/board/board-notes.ts');
  return [...deviceImageNotes(), ...clockNotes(new Date())].map(({ feature, consequence }) => ({
    level: 'warn',
    what: feature,
    detail: consequence,
  }));
}

/** Reachable, and over TLS also trusted, is enough: whether it lets us in shows in the agent's log. */
async function brokerFinding(config: AgentConfig): Promise<Finding> {
  const { brokerFault } = await import('../../agent/local/broker-reachable.ts');
  const fault = await brokerFault(config.broker);
  const { url } = config.broker;
  if (fault === undefined) return { level: 'ok', what: 'broker', detail: `${url} is reachable` };
  return { level: 'warn', what: 'broker', detail: `${url}: ${fault}; pods that are here run all the same` };
}
