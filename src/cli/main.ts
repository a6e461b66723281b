/** The command line: one module per command, registered here. */
import { Command } from 'commander';
import { registerAgent } from './commands/agent.ts';
import { registerApply } from './commands/apply.ts';
import { registerBroker } from './commands/broker.ts';
import { registerCheck } from './commands/check.ts';
import { registerCompletion } from './commands/completion.ts';
import { registerDelete } from './commands/delete.ts';
import { registerDescribe } from './commands/describe.ts';
import { registerFacts } from './commands/facts.ts';
import { registerGet } from './commands/get.ts';
import { registerImage } from './commands/image.ts';
import { registerLogs } from './commands/logs.ts';
import { registerValidate } from './commands/validate.ts';
import { registerVersion } from './commands/version.ts';

const program = new Command('edgepod')
  .description('Kubernetes pods on ARM64 Linux boards, over MQTT')
  .showHelpAfterError('(see edgepod --help)')
  .helpCommand(true);

registerApply(program);
registerDelete(program);
registerGet(program);
registerDescribe(program);
registerLogs(program);
registerValidate(program);
registerImage(program);
registerBroker(program);
registerAgent(program);
registerCheck(program);
registerFacts(program);
registerVersion(program);
registerCompletion(program);

// A closed pipe (`edgepod get pods | head -1`) is the reader's way to say "enough".
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

await program.parseAsync();
