/** The demo's pod: from the manifest to both containers running, against `podman kube play`; then what it costs to keep. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Pod } from '../../src/manifest/types.ts';
import { Board } from '../integration/board/board.ts';
import { interleaved, ms, type Row, report } from './measure.ts';
import { type Memory, memoryOf, memoryText, pidsNamed } from './memory.ts';

const DATA = '/data';

/** Both containers stay, so that "running" is a moment one can wait for. */
function manifest(name: string): Record<string, unknown> {
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

export async function benchPods(archives: string[], env: NodeJS.ProcessEnv, rounds: number): Promise<void> {
  mkdirSync(DATA, { recursive: true });
  const podman = (...args: string[]) =>
    execFileSync('podman', args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const board = await Board.open({ settings: ['--log-level', 'info', '--metrics-interval', '30'] });
  const file = `/tmp/edgepod-bench-${process.pid}.yaml`;
  try {
    for (const archive of archives) {
      await board.load(archive);
      loadIntoPodman(podman, env, archive);
    }
    const times = await interleaved(rounds, {
      edgepod: () => viaMqtt(board),
      podman: async () => {
        writeFileSync(file, stringify(manifest('bench')));
        const started = performance.now();
        podman('kube', 'play', '--network', 'host', file);
        const took = performance.now() - started;
        podman('pod', 'rm', '-f', '-t', '0', 'bench');
        return took;
      },
    });
    const { edgepod, podman: play } = times as Record<'edgepod' | 'podman', (typeof times)[string]>;
    report('Two-container pod, images present: publish → a subscriber sees both containers running', [
      {
        what: 'edgepod, MQTT publish',
        figure: ms(edgepod),
        ratio: edgepod.median / play.median,
        budget: 0.1,
        note: 'to podman; with bridge and IP',
      },
      { what: 'podman kube play', figure: ms(play), note: 'host network, its quickest' },
    ]);
    await memory(board, podman, file);
  } finally {
    rmSync(file, { force: true });
    await board.close();
  }
}

/** Milliseconds from the publish until both containers have been executed, as seen by a subscriber. */
async function viaMqtt(board: Board): Promise<number> {
  const started = performance.now();
  await board.desire('bench', manifest('bench'));
  await board.pod('bench', bothRunning);
  const took = performance.now() - started;
  await board.undesire('bench');
  return took;
}

function bothRunning(pod: Pod): boolean {
  const statuses = pod.status?.containerStatuses ?? [];
  return statuses.length === 2 && statuses.every(({ state }) => state.running !== undefined);
}

/** Podman names what it loads from an OCI archive by digest only; the pod wants the names. */
function loadIntoPodman(podman: (...args: string[]) => string, env: NodeJS.ProcessEnv, archive: string): void {
  const name = archive.includes('nginx') ? 'nginx' : 'debian';
  const out = podman('load', '--signature-policy', env.BENCH_POLICY!, '-i', archive);
  const loaded = /Loaded image:\s*(\S+)/.exec(out)?.[1] ?? out.trim().split(/\s+/).at(-1)!;
  for (const wanted of [`docker.io/library/${name}:latest`, `localhost/${name}:latest`]) podman('tag', loaded, wanted);
}

async function memory(board: Board, podman: (...args: string[]) => string, file: string): Promise<void> {
  await board.desire('bench', manifest('bench'));
  const pod = await board.pod('bench', bothRunning);
  const shim = Number(readFileSync(join(board.runDir, 'pods', pod.metadata.uid!, 'shim.pid'), 'utf8'));
  const children = readFileSync(`/proc/${shim}/task/${shim}/children`, 'utf8').trim().split(' ').map(Number);
  const pause = children.find((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'pause')!;
  // At rest, which is how a pod spends its life: the shim gives memory back after half a second of quiet.
  await new Promise((resolve) => setTimeout(resolve, 5000));
  const [shimMemory, pauseMemory, agentMemory] = [shim, pause, board.agent!.pid!].map(memoryOf) as [
    Memory,
    Memory,
    Memory,
  ];

  const before = new Set([...pidsNamed('conmon'), ...pidsNamed('catatonit')]);
  podman('kube', 'play', '--network', 'host', file);
  const peers = ['conmon', 'catatonit'].flatMap((name) =>
    pidsNamed(name)
      .filter((pid) => !before.has(pid))
      .map((pid) => ({ name, memory: memoryOf(pid) })),
  );
  podman('pod', 'rm', '-f', '-t', '0', 'bench');
  await board.undesire('bench');

  const own = shimMemory.pss + pauseMemory.pss;
  const theirs = peers.reduce((sum, peer) => sum + peer.memory.pss, 0);
  const rows: Row[] = [
    { what: 'edgepod shim (one per pod)', figure: memoryText(shimMemory) },
    { what: 'edgepod pause (infra process)', figure: memoryText(pauseMemory) },
    { what: 'edgepod, both', figure: `PSS ${own} KiB`, ratio: own / 1024, budget: 1, note: 'to 1 MB; goal 400 KiB' },
    ...peers.map(({ name, memory: figures }) => ({ what: `podman ${name}`, figure: memoryText(figures) })),
    { what: 'podman, all', figure: `PSS ${theirs} KiB`, note: `edgepod has ${(own / theirs).toFixed(2)} of it` },
    {
      what: 'edgepod agent, one pod',
      figure: memoryText(agentMemory),
      ratio: agentMemory.anon / (20 * 1024),
      budget: 1,
      note: 'anonymous to 20 MB',
    },
  ];
  report('Memory of a two-container pod beyond its own processes', rows);
}
