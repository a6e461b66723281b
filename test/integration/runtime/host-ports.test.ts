import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { HostPort } from '../../../src/pods/ports.ts';
import type { ShimRuntime } from '../../../src/runtime/runtime.ts';
import type { ShimSandbox } from '../../../src/runtime/sandbox.ts';
import { patience } from '../../patience.ts';
import { Outside } from './outside.ts';
import { alive, inNetworkOf, native, Rig, ready, until } from './rig.ts';

/** What a client prints: the answer, or `none` when there is no connection within a second. */
const client = (host: string, port: number) =>
  `fetch('http://${host}:${port}/', { signal: AbortSignal.timeout(1000) }).then((r) => r.text()).then(console.log, () => console.log('none')).finally(() => process.exit())`;
/** Sends a datagram from `from` every 100 ms, prints the first answer. */
const datagram = (host: string, port: number, from = 0) =>
  `const s = require('dgram').createSocket('udp4'); s.bind(${from}); const send = () => s.send('hello', ${port}, '${host}', () => {});
   send(); setInterval(send, 100); s.on('message', (m) => { console.log(String(m)); process.exit(); }); setTimeout(() => { console.log('none'); process.exit(); }, 2000)`;
const echoDatagrams = (port: number, who: string) =>
  `const s = require('dgram').createSocket('udp4'); s.bind(${port}, () => console.log('ready')); s.on('message', (m, from) => s.send('${who} got ' + m, from.port, from.address))`;

describe('host ports', { timeout: patience(120_000) }, () => {
  const rig = new Rig();
  let runtime: ShimRuntime;
  let outside: Outside;
  const children: { kill(signal: NodeJS.Signals): boolean }[] = [];
  before(async () => {
    runtime = await rig.runtime();
    outside = await Outside.open();
  });
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    outside.close();
    assert.deepEqual(await rig.close(), [], 'left behind');
  });

  const { bridge, table } = rig.names;
  const base = 20_000 + (process.pid % 1000) * 10;
  const tcp = (hostPort: number, hostIP = '0.0.0.0'): HostPort => ({
    hostIP,
    hostPort,
    containerPort: 8080,
    protocol: 'TCP',
  });
  const listing = () => execFileSync('nft', ['list', 'table', 'inet', table], { encoding: 'utf8' });
  const fromNode = async (host: string, port: number) => {
    const { stdout } = await native.addon.run(process.execPath, ['-e', client(host, port)], [], 10_000);
    return stdout.trim();
  };

  async function server(answer: string, hostPorts: HostPort[]): Promise<ShimSandbox> {
    const pod = await runtime.create(rig.spec({ hostPorts }));
    await pod.start(rig.container(pod, 'server', ['echo-server', '8080', answer]));
    await ready(rig, pod, 'server');
    return pod;
  }

  /** A process of ours in the pod's network that answers datagrams. */
  async function answersDatagrams(pod: ShimSandbox, port: number, who: string): Promise<void> {
    const netns = `--net=/proc/${pod.infraPid}/ns/net`;
    const child = spawn('nsenter', [netns, process.execPath, '-e', echoDatagrams(port, who)]);
    children.push(child);
    await new Promise((resolve) => child.stdout.once('data', resolve));
  }

  test('reachable from other hosts, from the node by every address and from other pods', async () => {
    const pod = await server('web', [tcp(base)]);
    const other = await runtime.create(rig.spec());
    assert.equal(await outside.run(client(outside.node, base)), 'web');
    for (const address of ['127.0.0.1', outside.node, rig.network.subnet.gateway])
      assert.equal(await fromNode(address, base), 'web', address);
    for (const address of [outside.node, rig.network.subnet.gateway])
      assert.equal(await inNetworkOf(other, client(address, base)), 'web', `other pod, ${address}`);
    for (const address of [outside.node, rig.network.subnet.gateway])
      assert.equal(await inNetworkOf(pod, client(address, base)), 'web', `the pod itself, ${address}`);
    assert.equal(await inNetworkOf(other, client('127.0.0.1', base)), 'none', 'its own loopback is not the node’s');
    await Promise.all([pod.destroy(), other.destroy()]);
    assert.doesNotMatch(listing(), new RegExp(` ${base} `));
    assert.equal(await outside.run(client(outside.node, base)), 'none');
  });

  test('what is not published is reachable from nowhere outside', async () => {
    const pod = await server('hidden', []);
    outside.ip('route', 'replace', rig.network.subnet.cidr, 'via', outside.node);
    assert.equal(await outside.run(client(String(pod.spec.ip), 8080)), 'none');
    assert.equal(await fromNode(String(pod.spec.ip), 8080), 'hidden');
    await pod.destroy();
  });

  test('with hostIP on that address only', async () => {
    const pod = await server('one address', [tcp(base + 1, outside.node)]);
    const local = await server('loopback', [tcp(base + 2, '127.0.0.1')]);
    assert.equal(await outside.run(client(outside.node, base + 1)), 'one address');
    assert.equal(await fromNode(outside.node, base + 1), 'one address');
    assert.equal(await fromNode('127.0.0.1', base + 1), 'none');
    assert.equal(await fromNode('127.0.0.1', base + 2), 'loopback');
    assert.equal(await outside.run(client(outside.node, base + 2)), 'none');
    await Promise.all([pod.destroy(), local.destroy()]);
  });

  test('a pod cannot reach the node’s own loopback, though published ports make it routable', async () => {
    const pod = await server('x', [tcp(base + 3)]);
    assert.equal(readFileSync(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, 'utf8').trim(), '1');
    const { createServer } = await import('node:http');
    const secret = createServer((_, answer) => answer.end('secret')).listen(base + 4, '127.0.0.1');
    const netns = `--net=/proc/${pod.infraPid}/ns/net`;
    // What an attacker with NET_ADMIN in the pod would do: send 127.0.0.1 over the wire (CVE-2020-8558).
    execFileSync('nsenter', [
      netns,
      'sh',
      '-c',
      'echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet; echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet; ip route del local 127.0.0.0/8 dev lo table local 2>/dev/null; ip address del 127.0.0.1/8 dev lo; ip route add 127.0.0.0/8 via ' +
        rig.network.subnet.gateway,
    ]);
    assert.equal(await inNetworkOf(pod, client('127.0.0.1', base + 4)), 'none');
    secret.close();
    await pod.destroy();
  });

  test('datagrams, and clients that sent before the pod was there or while it was replaced', async () => {
    const udp: HostPort = { hostIP: '', hostPort: base + 5, containerPort: 5353, protocol: 'UDP' };
    const early = outside.run(datagram(outside.node, base + 5, 40_001).replace('2000', '10000'));
    await until(() => conntrack().some((line) => line.includes(`dport=${base + 5}`)));
    const pod = await runtime.create(rig.spec({ hostPorts: [udp] }));
    await answersDatagrams(pod, 5353, 'first');
    assert.equal(await early, 'first got hello');
    await pod.destroy();
    const next = await runtime.create(rig.spec({ hostPorts: [udp] }));
    await answersDatagrams(next, 5353, 'second');
    assert.equal(await outside.run(datagram(outside.node, base + 5, 40_001)), 'second got hello');
    assert.equal(await outside.run(datagram(outside.node, base + 5, 40_002)), 'second got hello');
    await next.destroy();
  });

  test('SCTP has its rule', async () => {
    const pod = await runtime.create(
      rig.spec({ hostPorts: [{ hostIP: '', hostPort: base + 6, containerPort: 9, protocol: 'SCTP' }] }),
    );
    assert.match(listing(), new RegExp(`sctp \\. ${base + 6} : ${pod.spec.ip} \\. 9`));
    await pod.destroy();
  });

  test('a flushed ruleset is put back at once, and the next pod finds all in place', async () => {
    const pod = await server('again', [tcp(base + 7)]);
    for (const command of [
      ['delete', 'table', 'inet', table],
      ['flush', 'table', 'inet', table],
    ]) {
      execFileSync('nft', command);
      await until(() => {
        try {
          return listing().includes(` ${base + 7} `) && listing().includes('masquerade');
        } catch {
          return false;
        }
      });
      assert.equal(await outside.run(client(outside.node, base + 7)), 'again');
    }
    await pod.destroy();
  });

  test('a bridge or a link that somebody removed is put back under the pods that run', async () => {
    const pod = await server('back', [tcp(base + 8)]);
    const link = rig.network.link(pod.uid);
    for (const removed of [bridge, link]) {
      execFileSync('ip', ['link', 'delete', removed]);
      await until(() => existsSync(`/sys/class/net/${bridge}/brif/${link}`));
      await until(() => readFileSync(`/sys/class/net/${bridge}/carrier`, 'utf8').trim() === '1');
      assert.equal(await fromNode('127.0.0.1', base + 8), 'back', removed);
      assert.equal(await outside.run(client(outside.node, base + 8)), 'back', removed);
      assert.equal(await inNetworkOf(pod, client(outside.node, base + 8)), 'back', `${removed}, by the pod itself`);
    }
    assert.ok(alive(pod.infraPid));
    await pod.destroy();
  });

  test('an agent that starts again derives the rules from what runs, also when they are gone', async () => {
    const pod = await server('still', [tcp(base + 9)]);
    runtime.detachAll();
    rig.network.stop(); // the agent is dead: nobody listens
    execFileSync('nft', ['delete', 'table', 'inet', table]);
    execFileSync('ip', ['link', 'delete', bridge]);
    const { PodNetwork } = await import('../../../src/runtime/network/pod-network.ts');
    const { subnet } = rig.network;
    const network = new PodNetwork({ addon: native.addon, bridge, table, subnet, log: { info() {}, warn() {} } });
    const restarted = await rig.runtime(network);
    const { sandboxes } = await restarted.attachAll();
    assert.deepEqual(
      sandboxes.map(({ uid }) => uid),
      [pod.uid],
    );
    assert.equal(await outside.run(client(outside.node, base + 9)), 'still');
    await sandboxes[0]?.destroy();
    assert.doesNotMatch(listing(), new RegExp(` ${base + 9} `));
    network.stop();
  });
});

const conntrack = () => readFileSync('/proc/net/nf_conntrack', 'utf8').split('\n');
