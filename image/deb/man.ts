/** The manual pages, from what the code itself knows: the command tree and the table of settings. */
import type { Command } from 'commander';
import type { Setting } from '../../src/agent/config/config.ts';

const roff = (text: string) =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');

function page(title: string, section: number, summary: string, body: string[], version: string): string {
  const name = title.toLowerCase();
  return [
    `.TH "${roff(title.toUpperCase())}" ${section} "" "edgepod ${version}"`,
    '.SH NAME',
    `${roff(name)} \\- ${roff(summary)}`,
    ...body,
    '',
  ].join('\n');
}

const entry = (term: string, text: string) => ['.TP', `.B ${roff(term)}`, roff(text)];

/** edgepod(1): every command with its options. */
export function commandPage(program: Command, version: string): string {
  const help = program.createHelp();
  const commands = program.commands
    .flatMap((command) => withSubcommands(command, ''))
    .flatMap(([path, command]) => [
      `.SS "${roff(`edgepod ${path} ${command.usage()}`.replace(' [options] [command]', ' [command]'))}"`,
      roff(command.description()),
      ...help.visibleOptions(command).flatMap((option) => entry(option.flags, option.description)),
    ]);
  const body = [
    '.SH SYNOPSIS',
    '.B edgepod',
    '.I command',
    '[options]',
    '.SH DESCRIPTION',
    roff(program.description()),
    '.SH COMMANDS',
    ...commands,
    '.SH ENVIRONMENT',
    ...entry('EDGEPOD_BROKER', 'broker of the commands that talk to one'),
    ...entry('EDGEPOD_DEBUG', 'with 1, errors come with their stack'),
    '.SH SEE ALSO',
    '.BR edgepod\\-agent (8)',
  ];
  return page('edgepod', 1, program.description(), body, version);
}

function withSubcommands(command: Command, above: string): [string, Command][] {
  if (command.name() === 'complete') return [];
  const path = `${above}${command.name()}`;
  return [[path, command], ...command.commands.flatMap((below) => withSubcommands(below, `${path} `))];
}

/** edgepod-agent(8): the service and its settings. `notes` is prose, one paragraph a blank-line separated block. */
export function agentPage(settings: readonly Setting[], notes: string, version: string): string {
  const paragraphs = notes
    .trim()
    .split(/\n\n+/)
    .flatMap((paragraph) =>
      paragraph.startsWith('# ') ? [`.SH ${paragraph.slice(2).toUpperCase()}`] : ['.PP', roff(paragraph)],
    );
  const body = [
    '.SH SYNOPSIS',
    '.B edgepod agent',
    '[options]',
    ...paragraphs,
    '.SH SETTINGS',
    roff(
      'Keys of /etc/edgepod/agent.yaml, each with its environment variable (also read from /etc/default/edgepod) and its' +
        ' flag; a flag wins over the environment, that over the file. An unknown key is an error.',
    ),
    ...settings.flatMap(({ key, value, env, flag, doc }) => entry(`${key}: ${value}`, `${doc} (${env}, --${flag})`)),
    '.SH SEE ALSO',
    '.BR edgepod (1),',
    '.BR journalctl (1)',
  ];
  return page('edgepod-agent', 8, 'runs the pods of this board', body, version);
}
