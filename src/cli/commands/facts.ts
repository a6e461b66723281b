/** `edgepod facts`: what this board is, as JSON. The agent asks for it once, at its start. */
import type { Command } from 'commander';
import { action } from '../failure.ts';

export function registerFacts(program: Command): void {
  program
    .command('facts')
    .description('print what this board is: model, operating system, processor, disks')
    .action(
      action(async () => {
        const { localBoardFacts } = await import('../../agent/board/board-facts.ts');
        process.stdout.write(`${JSON.stringify(await localBoardFacts(), null, 4)}\n`);
      }),
    );
}
