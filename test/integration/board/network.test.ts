import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { instanceNames } from '../../../src/runtime/instance.ts';
import { demoImage } from '../../images/demo-images.ts';
import { Board } from './board.ts';
import { answers, status } from './http.ts';
import { phase, running, SLEEP, shellPod } from './pods.ts';

const base = 21_000 + (process.pid % 900) * 10;
let board: Board;
before(async () => {
  board = await Board.open({ settings: ['--resources-max-pods', '8'] });
  await board.load(await demoImage('debian'));
  await board.load(await demoImage('nginx'));
});
after(async () => assert.deepEqual(await board.close(), []));

const nginx = (name: string, hostPort: number, rest: object = {}) =>
  shellPod(name, [{ image: 'nginx', ports: [{ containerPort: 80, hostPort, protocol: 'TCP', ...rest }] }]);
/** Pid of the pod's infra process. */
function infraOf(uid: string): number {
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  };
  const found = readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .find((pid) => read(`/proc/${pid}/comm`) === 'pause\n' && read(`/proc/${pid}/cgroup`).includes(uid));
  assert.ok(found, 'an infra process');
  return Number(found);
}

/** Messages of the events with this reason that are about the pod. */
const eventsOf = (pod: string, reason: string): string[] =>
  board.messages
    .filter(({ topic }) => topic === board.topic('events'))
    .map(({ payload }) => JSON.parse(payload.toString()))
    .filter((event) => event.reason === reason && event.involvedObject.name === pod)
    // An agent that was killed before the broker had answered sends again.
    .filter((event, at, all) => all.findIndex((other) => other.metadata.name === event.metadata.name) === at)
    .map(({ message }) => message);

const log = async (pod: string) => (await board.edgepod(['logs', pod])).stdout;

test('a published port answers on the node, outlives the agent and a sandbox, and goes with the pod', async () => {
  await board.desire('web', nginx('web', base));
  const pod = await board.pod('web', running);
  const url = `http://127.0.0.1:${base}/`;
  await answers(url, 'when it runs');

  await board.until('its first start', () => eventsOf('web', 'Started').length > 0); // events are told in batches
  await board.stopAgent('SIGKILL');
  await answers(url, 'without an agent');
  execFileSync('nft', ['delete', 'table', 'inet', instanceNames(board.dataDir).table]);
  await board.startAgent();
  await board.pod('web', running);
  await answers(url, 'after the rules were flushed while no agent ran');

  process.kill(infraOf(pod.metadata.uid ?? ''), 'SIGKILL');
  const again = await board.pod('web', (p) => running(p) && (p.status?.containerStatuses[0]?.restartCount ?? 0) > 0);
  assert.equal(again.status?.podIP, pod.status?.podIP, 'the address stays with the pod');
  assert.equal(again.metadata.uid, pod.metadata.uid);
  await answers(url, 'after the sandbox was built again');
  await board.until('its second start', () => eventsOf('web', 'Started').length > 1);
  assert.deepEqual(
    eventsOf('web', 'MissingClusterDNS'),
    [
      "there is no cluster DNS on a board: dnsPolicy ClusterFirst is Default here, the name servers are the board's own",
    ],
    'once in its life',
  );

  await board.undesire('web');
  assert.equal(typeof (await status(url)), 'string');
});

test('a port that a pod or a process has already: Failed, NodePorts, who has it', async () => {
  await board.desire('first', nginx('first', base + 1));
  await board.pod('first', running);
  await board.desire('second', nginx('second', base + 1));
  const second = await board.pod('second', phase('Failed'));
  assert.equal(second.status?.reason, 'NodePorts');
  assert.match(second.status?.message ?? '', /in use by pod default\/first/);

  const server = createServer().listen(base + 2, '127.0.0.1');
  await board.desire('third', nginx('third', base + 2));
  const third = await board.pod('third', phase('Failed'));
  assert.equal(third.status?.reason, 'NodePorts');
  assert.match(third.status?.message ?? '', new RegExp(`in use by .*pid ${process.pid}`));
  server.close();
  for (const name of ['first', 'second', 'third']) await board.undesire(name);
});

test('a port that a pod gives up passes to its successor: of the same name, and of another that waits for it', async () => {
  const stubborn = (name: string, label: string) =>
    shellPod(
      name,
      [
        { sh: 'trap "sleep 4; exit 0" TERM; while :; do sleep 1000 & wait; done', env: [{ name: 'V', value: label }] },
      ].map((container) => ({
        ...container,
        ports: [{ containerPort: 80, hostPort: base + 3, protocol: 'TCP' as const }],
      })),
      { terminationGracePeriodSeconds: 30 },
    );
  await board.desire('same', stubborn('same', 'old'));
  const old = await board.pod('same', running);
  await board.desire('same', stubborn('same', 'new'));
  await board.pod('same', (p) => running(p) && p.metadata.uid !== old.metadata.uid);

  const gone = board.undesire('same');
  await board.pod('same', (p) => p.metadata.deletionTimestamp !== undefined);
  await board.desire('other', nginx('other', base + 3));
  const waiting = await board.pod('other', phase('Pending'));
  assert.match(waiting.status?.conditions[0]?.message ?? '', /being terminated: .*in use by pod default\/same/);
  await gone;
  await board.pod('other', running);
  await answers(`http://127.0.0.1:${base + 3}/`, 'the successor');
  await board.undesire('other');
});

test('three containers that need 1 GB each are one request: none starts, OutOfmemory with the figures', async () => {
  const resources = { requests: { memory: '1000Gi' } };
  await board.desire(
    'big',
    shellPod(
      'big',
      [0, 1, 2].map(() => ({ sh: SLEEP, resources })),
    ),
  );
  const pod = await board.pod('big', phase('Failed'));
  assert.equal(pod.status?.reason, 'OutOfmemory');
  assert.match(pod.status?.message ?? '', /requested: 3221225472000, used: 0, capacity: \d+/);
  assert.ok(pod.status?.containerStatuses.every(({ state }) => state.running === undefined));
  await board.undesire('big');
});

test('hosts, resolv.conf and names as the manifest says', async () => {
  await board.desire(
    'names',
    shellPod('names', [{ sh: 'hostname; cat /etc/hostname /etc/hosts /etc/resolv.conf' }], {
      restartPolicy: 'Never',
      hostname: 'db-0',
      subdomain: 'db',
      setHostnameAsFQDN: true,
      hostAliases: [{ ip: '192.0.2.7', hostnames: ['store', 'store.lan'] }],
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['192.0.2.53'], searches: ['lan'], options: [{ name: 'ndots', value: '2' }] },
    }),
  );
  const pod = await board.pod('names', phase('Succeeded'));
  const text = await log('names');
  const fqdn = 'db-0.db.default.svc.cluster.local';
  assert.ok(text.startsWith(`${fqdn}\n${fqdn}\n`), text);
  assert.match(text, new RegExp(`${fqdn}\tdb-0\n`));
  assert.match(text, /# Entries added by HostAliases\.\n192\.0\.2\.7\tstore\tstore\.lan\n/);
  assert.ok(text.endsWith('search lan\nnameserver 192.0.2.53\noptions ndots:2\n'), text);
  assert.equal(pod.status?.phase, 'Succeeded');
  assert.deepEqual(eventsOf('names', 'MissingClusterDNS'), []);
  await board.undesire('names');
});

test('a board that is full: OutOfpods', async () => {
  const names = Array.from({ length: 9 }, (_, at) => `fill-${at}`);
  for (const name of names) await board.desire(name, shellPod(name, [{ sh: SLEEP }]));
  const last = await board.pod('fill-8', phase('Failed'));
  assert.equal(last.status?.reason, 'OutOfpods');
  for (const name of names) await board.undesire(name);
});
