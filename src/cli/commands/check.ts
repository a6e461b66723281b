/** `edgepod check`: whether this board can run pods, line by line, and what to do where it cannot. */
import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Command } from 'commander';
import type { AgentConfig } from '../../agent/config.ts';
import { action } from '../failure.ts';
import { withSettings } from '../settings.ts';

interface Finding {
  level: 'ok' | 'warn' | 'fail';
  what: string;
  detail: string;
}

export function registerCheck(program: Command): void {
  withSettings(program.command('check'))
    .description('check what this board’s kernel and set-up can and cannot do')
    .option('-o, --output <format>', 'json')
    .action(
      action(async (flags: Record<string, unknown> & { config?: string; output?: string }) => {
        const { loadConfig } = await import('../../agent/load-config.ts');
        const config = await loadConfig(flags.config, flags);
        const findings = [
          ...(await kernelFindings()),
          ...setupFindings(config),
          await rulesFinding(),
          ...deviceImageFindings(),
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
  const { localFeatures } = await import('../../agent/local-features.ts');
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

/** Asks the kernel, without changing anything: the tool may be there and the kernel's NAT not. */
async function rulesFinding(): Promise<Finding> {
  const { nftFault } = await import('../../agent/local-features.ts');
  const fault = await nftFault();
  if (fault === undefined) return { level: 'ok', what: 'nftables', detail: 'rules and NAT work' };
  return { level: 'warn', what: 'nftables', detail: `pods have no way out and no hostPort: ${fault}` };
}

function setupFindings({ dataDir, runDir }: AgentConfig): Finding[] {
  const root: Finding =
    process.getuid?.() === 0
      ? { level: 'ok', what: 'user', detail: 'root' }
      : { level: 'fail', what: 'user', detail: 'the agent must run as root to make namespaces and cgroups' };
  return [root, directory('data directory', dataDir), directory('run directory', runDir)];
}

function directory(what: string, path: string): Finding {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.W_OK);
    return { level: 'ok', what, detail: path };
  } catch (error) {
    return { level: 'fail', what, detail: `${path} cannot be written: ${(error as Error).message}` };
  }
}

/** What the device image's first-boot programs noted; on any other system there is no such file. */
function deviceImageFindings(): Finding[] {
  const path = '/run/edgepod-board/problems.json';
  if (!existsSync(path)) return [];
  const notes = JSON.parse(readFileSync(path, 'utf8')) as { feature: string; consequence: string }[];
  return notes.map(({ feature, consequence }) => ({ level: 'warn', what: feature, detail: consequence }));
}

/** Reachable is enough: whether it lets us in shows in the agent's log. */
function brokerFinding({ broker }: AgentConfig): Promise<Finding> {
  const { hostname, port, protocol } = new URL(broker.url);
  const fallback: Record<string, number> = { 'mqtts:': 8883, 'ssl:': 8883, 'ws:': 80, 'wss:': 443 };
  const { promise, resolve } = Promise.withResolvers<Finding>();
  const socket = connect(Number(port) || (fallback[protocol] ?? 1883), hostname.replace(/^\[|\]$/g, ''));
  const done = (level: Finding['level'], detail: string) => {
    socket.destroy();
    resolve({ level, what: 'broker', detail });
  };
  socket.setTimeout(3000, () => done('warn', `${broker.url} does not answer; pods that are here run all the same`));
  socket.once('connect', () => done('ok', `${broker.url} is reachable`));
  socket.once('error', (error) => done('warn', `${broker.url}: ${error.message}; pods that are here run all the same`));
  return promise;
}
