/** The command line: one module per command, registered here; read by `main.ts` and by the manual pages. */
import { Command } from 'commander';
import { VERSION } from '../agent/process/version.ts';
import { registerAgent } from './commands/agent.ts';
import { registerApply } from './commands/apply.ts';
import { registerBroker } from './commands/broker.ts';
import { registerCheck } from './commands/check.ts';
import { registerCompletion } from './commands/completion.ts';
import { registerDebug } from './commands/debug.ts';
import { registerDelete } from './commands/delete.ts';
import { registerDescribe } from './commands/describe.ts';
import { registerDrain } from './commands/drain.ts';
import { registerExec } from './commands/exec.ts';
import { registerFacts } from './commands/facts.ts';
import { registerGet } from './commands/get.ts';
import { registerImage } from './commands/image.ts';
import { registerLogs } from './commands/logs.ts';
import { registerRestart } from './commands/restart.ts';
import { registerTop } from './commands/top.ts';
import { registerValidate } from './commands/validate.ts';
import { registerVersion } from './commands/version.ts';

export const program = new Command('edgepod')
  .description('Kubernetes pods on ARM64 Linux boards, over MQTT')
  .version(`edgepod ${VERSION}`)
  .showHelpAfterError('(see edgepod --help)')
  .helpCommand(true);

registerApply(program);
registerDelete(program);
registerGet(program);
registerDescribe(program);
registerLogs(program);
registerExec(program);
registerDebug(program);
registerRestart(program);
registerTop(program);
registerValidate(program);
registerImage(program);
registerBroker(program);
registerAgent(program);
registerDrain(program);
registerCheck(program);
registerFacts(program);
registerVersion(program);
registerCompletion(program);

for (const command of program.commands) {
  for (const below of command.commands)
    below.showHelpAfterError(`(see edgepod ${command.name()} ${below.name()} --help)`);
  command.showHelpAfterError(`(see edgepod ${command.name()} --help)`);
}
