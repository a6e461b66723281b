/** The demo's pod as the benchmark runs it, and its processes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod } from '../../src/manifest/types/pod.ts';
import type { Board } from '../integration/board/board.ts';

export const DATA = '/data';

/** Both containers stay, so that "running" is a moment one can wait for. */
export function manifest(name: string): Record<string, unknown> {
  const mount = (mountPath: string) => [{ name: 'shared-data', mountPath }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      volumes: [{ name: 'shared-data', hostPath: { path: DATA } }],
      containers: [
        {
          name: 'nginx-container',
          image: 'nginx',
          imagePullPolicy: 'IfNotPresent',
          volumeMounts: mount('/usr/share/nginx/html'),
        },
        {
          name: 'debian-container',
          image: 'debian',
          imagePullPolicy: 'IfNotPresent',
          volumeMounts: mount('/pod-data'),
          command: ['/bin/sh'],
          args: [
            '-c',
            'echo Hello from the debian container > /pod-data/index.html; trap "exit 0" TERM; while :; do sleep 1000 & wait; done',
          ],
        },
      ],
    },
  };
}

export function bothRunning(pod: Pod): boolean {
  const statuses = pod.status?.containerStatuses ?? [];
  return statuses.length === 2 && statuses.every(({ state }) => state.running !== undefined);
}

/** Throws when there is no shim (yet). */
export function processesOf(board: Board, uid: string): { shim: number; pause: number; containers: number[] } {
  const shim = Number(readFileSync(join(board.runDir, 'pods', uid, 'shim.pid'), 'utf8'));
  const children = readFileSync(`/proc/${shim}/task/${shim}/children`, 'utf8').trim().split(' ').map(Number);
  const isPause = (pid: number) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'pause';
  return { shim, pause: children.find(isPause)!, containers: children.filter((pid) => !isPause(pid)) };
}
