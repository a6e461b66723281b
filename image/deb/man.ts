/** The manual pages, from what the code itself knows: the command tree and the table of settings. */
import { Command, type Option } from 'commander';
import type { Setting } from '../../src/agent/config/config.ts';
import { USER_SETTINGS, withConnection } from '../../src/cli/connection.ts';
import { withSettings } from '../../src/cli/settings.ts';

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

/** edgepod(1): every command with its arguments and options; those that many have are told once. */
export function commandPage(program: Command, version: string): string {
  const commands = program.commands
    .flatMap((command) => withSubcommands(command, ''))
    .flatMap(([path, command]) => commandText(path, command));
  const body = [
    '.SH SYNOPSIS',
    '.B edgepod',
    '.I command',
    '[options]',
    '.SH DESCRIPTION',
    roff(program.description()),
    '.SH COMMANDS',
    ...commands,
    '.SH CONNECTION',
    roff('Options of every command that talks to the broker. A flag wins over its variable, that over the file.'),
    ...CONNECTION.flatMap(({ flags, description }) => entry(flags, description)),
    '.SH ENVIRONMENT',
    ...entry('EDGEPOD_BROKER, EDGEPOD_PREFIX, EDGEPOD_USERNAME, EDGEPOD_PASSWORD', 'as the options of that name'),
    ...entry('EDGEPOD_CA_FILE, EDGEPOD_CERT_FILE, EDGEPOD_KEY_FILE', 'as the options of that name'),
    ...entry('EDGEPOD_DEBUG', 'with 1, errors come with their stack'),
    '.SH FILES',
    ...entry('~/.config/edgepod/config.yaml', `the user's own settings: ${USER_SETTINGS.join(', ')}`),
    ...entry('/etc/edgepod/agent.yaml', 'settings of this board'),
    '.SH EXIT STATUS',
    roff(
      '0 when done; 1 when it failed, with the reason on standard error; 78 when the agent has a setting it cannot use.',
    ),
    roff('exec and debug end with the exit code of their command.'),
    '.SH EXAMPLES',
    '.EX',
    ...['edgepod apply -f pod.yaml -d board-7 --wait', 'edgepod describe pod web', 'edgepod logs web -f'].map(roff),
    '.EE',
    '.SH SEE ALSO',
    '.BR edgepod\\-agent (8)',
  ];
  return page('edgepod', 1, program.description(), body, version);
}

const CONNECTION = withConnection(new Command()).options;
const isPart = (some: Set<string>, all: Set<string>) => [...some].every((flag) => all.has(flag));
const flagsOf = (options: readonly Option[]) => new Set(options.map(({ flags }) => flags));

function commandText(path: string, command: Command): string[] {
  const help = command.createHelp();
  const has = flagsOf(command.options);
  const connection = flagsOf(CONNECTION);
  // A command with some of the agent's settings has them named; one with all is told so.
  const settings = flagsOf(withSettings(new Command()).options.slice(1));
  const everySetting = isPart(settings, has);
  const own = command.options.filter(({ flags }) => !connection.has(flags) && !(everySetting && settings.has(flags)));
  return [
    `.SS "${roff(`edgepod ${path} ${command.usage()}`.replace(' [options] [command]', ' [command]'))}"`,
    roff(command.description()),
    ...command.registeredArguments.flatMap((argument) => entry(argument.name(), help.argumentDescription(argument))),
    ...own.flatMap((option) => entry(option.flags, help.optionDescription(option))),
    ...(isPart(connection, has) ? ['.PP', 'and those of CONNECTION.'] : []),
    ...(everySetting ? ['.PP', roff('and a flag for every setting of edgepod-agent(8).')] : []),
  ];
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
        ' flag; a flag wins over the environment, that over the file. An unknown key is an error. The file that comes with the' +
        ' package has them all, with their defaults.',
    ),
    ...settings.flatMap(({ key, value, env, flag, doc }) => entry(`${key}: ${value}`, `${doc} (${env}, --${flag})`)),
    '.SH SEE ALSO',
    '.BR edgepod (1),',
    '.BR journalctl (1)',
  ];
  return page('edgepod-agent', 8, 'runs the pods of this board', body, version);
}
