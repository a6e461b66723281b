/**
 * The demo: one pod of two containers, from an MQTT broker to processes and back, on real parts.
 * `--keep` leaves everything up and prints how to explore it. Ctrl-C takes everything down at any moment.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import mqtt from 'mqtt';
import type { Pod } from '../../src/manifest/types/pod.ts';
import { EDGEPOD } from '../edgepod.ts';
import { buildImages } from '../images/demo-images.ts';
import { leakedSoon, traces } from '../leaks.ts';
import { drawTree, flatten, processTree } from './process-tree.ts';
import { Stage } from './stage.ts';

const manifest = join(import.meta.dirname, 'two-containers.yaml');
const keep = process.argv.includes('--keep');
const before = traces();
const stage = new Stage();
const step = (text: string) => process.stdout.write(`\n\x1b[1m▶ ${text}\x1b[0m\n`);
const show = (text: string) => process.stdout.write(`${text.trimEnd().replace(/^/gm, '    ')}\n`);

let stopping: Promise<void> | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    stopping ??= finish(130);
  });

try {
  await play();
  if (keep) explore();
  else stopping ??= finish(0);
} catch (error) {
  if (!stopping) {
    process.stderr.write(`\ndemo failed: ${(error as Error).message}\n`);
    showAgentLog();
    stopping = finish(1);
  }
}
if (keep && !stopping) setInterval(() => {}, 1 << 30); // until Ctrl-C
await stopping;

async function play(): Promise<void> {
  step('Images: nginx and debian, made from this distribution’s own packages');
  const archives = await buildImages((line) => show(line));

  step('The embedded broker and an agent');
  await stage.startBroker();
  stage.startAgent();
  show(`broker ${stage.broker}, device "${stage.device}"`);
  for (const archive of archives) show(await stage.edgepod('image', 'load', archive));

  step('The pod, published as desired state');
  stage.sharedDirectory('/data');
  show(readFileSync(manifest, 'utf8'));
  const fleet = await watchDevice();
  show(await stage.edgepod('apply', '-f', manifest, '-d', stage.device));
  const pod = await fleet.pod(finished, 'nginx-container Running and debian-container Completed');

  step('One process tree: the shim, the infra process, the containers');
  const tree = processTree(shimPid(pod));
  if (!tree) throw new Error('the shim of the pod is gone');
  show(drawTree(tree));

  step('One network namespace');
  const members = flatten(tree).slice(1);
  for (const { pid, label, netns } of members) show(`/proc/${pid}/ns/net -> ${netns}   ${label.split(' ')[0]}`);
  const namespaces = new Set(members.map(({ netns }) => netns));
  if (namespaces.size !== 1 || members.length < 2) throw new Error('the pod does not share one network namespace');
  show(`the same for all ${members.length}; debian-container ended already, it was in there too`);

  step('One IP, and what the debian container wrote, served by the nginx container');
  const page = await fetchText(`http://${pod.status!.podIP}/`);
  show(`curl http://${pod.status!.podIP}/\n${page}`);
  if (page.trim() !== 'Hello from the debian container') throw new Error(`unexpected page: ${page}`);

  step('The status, as it came back over MQTT');
  show(await stage.edgepod('get', 'pods', '-d', stage.device, '-o', 'wide'));
  show(`phase ${pod.status!.phase}`);
  for (const { name, state } of pod.status!.containerStatuses) show(`${name}: ${JSON.stringify(state)}`);

  step('Memory of each container, from the metrics topic');
  const memory = await fleet.memory(pod.metadata.name);
  for (const [name, bytes] of memory) show(`${name.padEnd(20)} ${(bytes / 1024).toFixed(0).padStart(8)} KiB`);
  await fleet.close();
}

/** The end state of the pod: nginx runs, debian completed. */
function finished(pod: Pod): boolean {
  const state = (name: string) => pod.status?.containerStatuses.find((status) => status.name === name)?.state;
  const debian = state('debian-container')?.terminated;
  if (pod.status?.phase === 'Failed') throw new Error(`the pod failed: ${JSON.stringify(pod.status, null, 1)}`);
  return (
    pod.status?.phase === 'Running' &&
    state('nginx-container')?.running !== undefined &&
    debian?.exitCode === 0 &&
    debian.reason === 'Completed'
  );
}

/** Listens to everything the device says. */
async function watchDevice() {
  const client = await mqtt.connectAsync(stage.broker, { protocolVersion: 5 });
  const waiting = new Set<(topic: string, body: unknown) => void>();
  const newest = new Map<string, unknown>();
  client.on('message', (topic, payload) => {
    if (payload.length === 0) return;
    const body: unknown = JSON.parse(payload.toString());
    newest.set(topic, body);
    for (const listener of waiting) listener(topic, body);
  });
  await client.subscribeAsync(`edgepod/devices/${stage.device}/#`, { qos: 1 });
  const next = <T>(what: string, decide: (topic: string, body: unknown) => T | undefined): Promise<T> => {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const timer = setTimeout(() => reject(new Error(`no message within 60 s that says: ${what}`)), 60_000);
    const listener = (topic: string, body: unknown) => {
      try {
        const found = decide(topic, body);
        if (found !== undefined) resolve(found);
      } catch (error) {
        reject(error);
      }
    };
    waiting.add(listener);
    for (const [topic, body] of newest) listener(topic, body);
    return promise.finally(() => {
      clearTimeout(timer);
      waiting.delete(listener);
    });
  };
  return {
    pod: (accept: (pod: Pod) => boolean, what: string) =>
      next(what, (topic, body) => (topic.includes('/status/pods/') && accept(body as Pod) ? (body as Pod) : undefined)),
    memory: (name: string) =>
      next('metrics of the pod', (topic, body) => {
        if (!topic.endsWith('/metrics')) return undefined;
        const { pods } = body as {
          pods: { name: string; containers: { name: string; memory: { current: number } }[] }[];
        };
        const containers = pods.find((pod) => pod.name === name)?.containers ?? [];
        return containers.length === 0
          ? undefined
          : containers.map((container) => [container.name, container.memory.current] as const);
      }),
    close: () => client.endAsync(),
  };
}

function shimPid(pod: Pod): number {
  return Number(readFileSync(join(stage.runDir, 'pods', pod.metadata.uid!, 'shim.pid'), 'utf8'));
}

function fetchText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { timeout: 5000 }, async (response) => {
      let all = '';
      for await (const chunk of response) all += String(chunk);
      resolve(all);
    }).on('error', reject);
  });
}

function explore(): void {
  const env = `EDGEPOD_BROKER=${stage.broker}`;
  step('Kept up. To explore:');
  show(
    [
      `${env} ${EDGEPOD} get pods -o wide`,
      `${env} ${EDGEPOD} describe pod two-containers`,
      `${env} ${EDGEPOD} logs two-containers -c nginx-container`,
      `mosquitto_sub -p ${new URL(stage.broker).port} -v -t 'edgepod/devices/${stage.device}/#'`,
      `ls ${stage.runDir}/pods/*   # the shim's socket and bundles`,
      `tail -f ${stage.agentLog}`,
      'Ctrl-C takes everything down.',
    ].join('\n'),
  );
}

function showAgentLog(): void {
  try {
    process.stderr.write(readFileSync(stage.agentLog, 'utf8').split('\n').slice(-30).join('\n'));
  } catch {
    // the agent had not been started
  }
}

/** Deletes the pod over MQTT, ends agent and broker, and looks whether anything is left. */
async function finish(code: number): Promise<void> {
  step('Deleting the pod over MQTT, then taking everything down');
  try {
    if (code === 0) show(await stage.edgepod('delete', '-f', manifest, '-d', stage.device, '--wait'));
    if (code === 0 && podsLeft().length > 0) throw new Error(`run directory still has ${podsLeft().join(', ')}`);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    code = 1;
  }
  await stage.takeDown();
  const left = await leakedSoon(before);
  show(
    left.length === 0
      ? 'nothing left: no process, mount, link, namespace, cgroup, nft table'
      : `LEFT BEHIND:\n${left.join('\n')}`,
  );
  process.exit(left.length > 0 ? 1 : code);
}

function podsLeft(): string[] {
  try {
    return readdirSync(join(stage.runDir, 'pods'));
  } catch {
    return [];
  }
}
