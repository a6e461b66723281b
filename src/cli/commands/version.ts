/** `edgepod version`. */
import type { Command } from 'commander';
import { VERSION } from '../../agent/process/version.ts';

export function registerVersion(program: Command): void {
  program
    .command('version')
    .description('print the version')
    .option('-o, --output <format>', 'json')
    .action(({ output }: { output?: string }) => {
      const full = { version: VERSION, node: process.version, platform: `linux/${process.arch}` };
      process.stdout.write(output === 'json' ? `${JSON.stringify(full, null, 4)}\n` : `edgepod ${VERSION}\n`);
    });
}
