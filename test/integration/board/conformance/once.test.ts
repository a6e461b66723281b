/** Run-once pods of an agent that is killed while they start: each runs, and none runs twice. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { demoImage } from '../../../images/demo-images.ts';
import { Board } from '../board.ts';
import { phase, shellPod } from '../pods.ts';

/** Milliseconds between the manifests and the death of the agent. */
const MOMENTS = [0, 10, 40, 120];
const PODS = 4;

const host = mkdtempSync('/var/tmp/edgepod-once-');
let board: Board;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
});
after(async () => {
  assert.deepEqual(await board.close(), []);
  rmSync(host, { recursive: true });
});

function once(name: string): object {
  const volumes = [{ name: 'v', hostPath: { path: host } }];
  const init = { name: 'i', image: 'debian', command: ['/bin/sh', '-c', `echo >> /v/${name}-init`] };
  const volumeMounts = [{ name: 'v', mountPath: '/v' }];
  return shellPod(name, [{ sh: `echo >> /v/${name}; sleep 0.1`, volumeMounts }], {
    restartPolicy: 'Never',
    volumes,
    initContainers: [{ ...init, volumeMounts }],
  });
}

for (const ms of MOMENTS)
  test(`the agent killed ${ms} ms after the manifests`, async () => {
    const names = Array.from({ length: PODS }, (_, i) => `once-${ms}-${i}`);
    await Promise.all(names.map((name) => board.desire(name, once(name))));
    await new Promise((resolve) => setTimeout(resolve, ms));
    await board.stopAgent('SIGKILL');
    await board.startAgent();
    for (const name of names) {
      await board.pod(name, phase('Succeeded'), 60_000);
      for (const file of [name, `${name}-init`]) assert.equal(readFileSync(join(host, file), 'utf8'), '\n', file);
    }
    await Promise.all(names.map((name) => board.undesire(name)));
  });
