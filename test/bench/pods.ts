/** The demo's pod: from the manifest to both containers running, against `podman kube play`; then what it costs to keep. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { Board } from '../integration/board/board.ts';
import { benchAfterPods } from './after-pods.ts';
import { benchColdStart } from './cold-start.ts';
import { bothRunning, DATA, manifest, processesOf } from './demo-pod.ts';
import { benchEnds } from './ends.ts';
import { interleaved, ms, type Row, report } from './measure.ts';
import { type Memory, memoryOf, memoryText, pidsNamed } from './memory.ts';
import { Observer } from './observer.ts';

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
    const observer = await Observer.open(board);
    const times = await interleaved(rounds, {
      edgepod: () => viaMqtt(board, observer),
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
    await observer.close();
    await memory(board, podman, file);
    await benchEnds(board, rounds);
    await benchAfterPods(board);
    await benchColdStart(board, Math.min(rounds, 10));
  } finally {
    rmSync(file, { force: true });
    await board.close();
  }
}

/** Milliseconds from the publish until both containers have been executed, as seen by a subscriber. */
async function viaMqtt(board: Board, observer: Observer): Promise<number> {
  const started = performance.now();
  const seen = observer.until(bothRunning);
  await board.desire('bench', manifest('bench'));
  await seen;
  const took = performance.now() - started;
  await board.undesire('bench');
  return took;
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
  const { shim, pause } = processesOf(board, pod.metadata.uid!);
  // At rest, which is how a pod spends its life: the shim gives memory back after half a second of quiet, the agent once
  // a minute.
  await new Promise((resolve) => setTimeout(resolve, 75_000));
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
    {
      what: 'edgepod agent, one pod',
      figure: '',
      ratio: agentMemory.rss / (60 * 1024),
      budget: 1,
      note: 'RSS to 60 MB',
    },
  ];
  report('Memory of a two-container pod beyond its own processes', rows);
}
