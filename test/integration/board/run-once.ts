/** A script that runs once, in a pod of its own. */
import assert from 'node:assert/strict';
import type { Board } from './board.ts';
import { shellPod } from './pods.ts';

/** Runs `sh` to its end in a pod of one container and returns what it printed. */
type Output = (name: string, sh: string, container?: object, spec?: object) => Promise<string>;

/** @param on the board, which may not be open yet */
export const outputOn =
  (on: () => Board): Output =>
  async (name, sh, container = {}, spec = {}) => {
    const board = on();
    await board.desire(name, shellPod(name, [{ sh, ...container }], { restartPolicy: 'Never', ...spec }));
    const pod = await board.pod(name, (p) => ['Succeeded', 'Failed'].includes(p.status?.phase ?? ''));
    const { stdout } = await board.edgepod(['logs', name]);
    await board.undesire(name);
    assert.equal(pod.status?.phase, 'Succeeded', `${stdout}\n${JSON.stringify(pod.status, null, 1)}`);
    return stdout;
  };
