/** `edgepod validate`: what a device would say to a manifest, without a device or a broker. */
import type { Command } from 'commander';
import { action } from '../failure.ts';
import { checkManifests } from '../manifests.ts';

export function registerValidate(program: Command): void {
  program
    .command('validate')
    .description('check manifests: every error with its path; nothing is sent')
    .requiredOption(
      '-f, --filename <file>',
      'manifests (JSON or YAML; Pod, Deployment, DaemonSet, Job, ConfigMap, Secret, List); - for standard input',
    )
    .action(
      action(async ({ filename }: { filename: string }) => {
        const { manifests, errors } = checkManifests(filename);
        for (const { label, warnings } of manifests) {
          process.stdout.write(`${label} is valid\n`);
          for (const { path, reason } of warnings) process.stderr.write(`Warning: ${label}: ${path}: ${reason}\n`);
        }
        for (const error of errors) process.stderr.write(`error: ${error}\n`);
        if (errors.length > 0) process.exitCode = 1;
      }),
    );
}
