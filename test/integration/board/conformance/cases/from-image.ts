/** An image with a program, arguments, user and directory of its own. */
import { buildTinyImage } from '../../../../images/tiny.ts';

/** Its archive, in `dir`. Prints its last argument, as often as the first says. */
export function defaultsImage(dir: string): Promise<string> {
  const config = { Entrypoint: ['/bin/print', '2'], Cmd: ['cmd'], User: '1000', WorkingDir: '/tmp' };
  return buildTinyImage(dir, { name: 'defaults', programs: ['print'], config });
}

/** A container of that image, `words` over what it says. */
export const fromImage = (words: object) => [{ image: 'defaults', imagePullPolicy: 'Never' as const, ...words }];
