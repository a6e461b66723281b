import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { ShimRuntime } from '../../../src/runtime/runtime.ts';
import { patience } from '../../patience.ts';
import { fetchFrom, inNetworkOf, native, Rig, ready } from './rig.ts';

describe('pod network', { timeout: patience(120_000) }, () => {
  const rig = new Rig();
  let runtime: ShimRuntime;
  before(async () => {
    runtime = await rig.runtime();
  });
  after(async () => assert.deepEqual(await rig.close(), [], 'left behind'));

  const { bridge, table } = rig.names;
  const { gateway, cidr } = rig.network.subnet;
  const addresses = () =>
    execFileSync('ip', ['-4', '-o', 'address', 'show', 'dev', bridge], { encoding: 'utf8' })
      .split('\n')
      .flatMap((line) => line.split(/\s+/)[3] ?? []);
  const rules = () => execFileSync('nft', ['list', 'table', 'inet', table], { encoding: 'utf8' });

  test('bridge, forwarding and rules are made once; doing it again changes nothing', async () => {
    await rig.network.ensure();
    const first = rules();
    assert.match(first, new RegExp(`ip saddr ${cidr} ip daddr != ${cidr} masquerade`));
    assert.match(first, new RegExp(`oifname "${bridge}" iifname != "${bridge}" drop`));
    assert.equal(readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim(), '1');
    const mtu = Number(readFileSync(`/sys/class/net/${bridge}/mtu`, 'utf8'));
    await native.addon.ensureBridge(bridge, `${gateway}/24`, mtu);
    assert.deepEqual(addresses(), [`${gateway}/24`]);
    assert.equal(rules(), first);
  });

  test('the address of an earlier configuration is removed from the bridge', async () => {
    execFileSync('ip', ['address', 'add', '10.217.250.1/24', 'dev', bridge]);
    execFileSync('ip', ['address', 'add', '10.217.251.1/16', 'dev', bridge]);
    const mtu = Number(readFileSync(`/sys/class/net/${bridge}/mtu`, 'utf8'));
    await native.addon.ensureBridge(bridge, `${gateway}/24`, mtu);
    assert.deepEqual(addresses(), [`${gateway}/24`]);
  });

  test('two pods reach each other, each has one address and a localhost of its own', async () => {
    const [one, two] = await Promise.all([runtime.create(rig.spec()), runtime.create(rig.spec())]);
    await one.start(rig.container(one, 'server', ['echo-server', '8080', 'from one']));
    await two.start(rig.container(two, 'server', ['echo-server', '8080', 'from two']));
    await Promise.all([ready(rig, one, 'server'), ready(rig, two, 'server')]);

    assert.equal(await fetchFrom(two, `http://${one.spec.ip}:8080/`), 'from one');
    assert.equal(await fetchFrom(one, `http://${two.spec.ip}:8080/`), 'from two');
    assert.equal(await fetchFrom(one, 'http://127.0.0.1:8080/'), 'from one');
    assert.equal(await fetchFrom(two, 'http://127.0.0.1:8080/'), 'from two');
    const fromNode = await fetch(`http://${one.spec.ip}:8080/`);
    assert.equal(await fromNode.text(), 'from one');

    const addresses = await inNetworkOf(
      one,
      `console.log(Object.values(os.networkInterfaces()).flat().filter((a) => a.family === 'IPv4').map((a) => a.address).join())`,
    );
    assert.equal(addresses, `127.0.0.1,${one.spec.ip}`);
    await Promise.all([one.destroy(), two.destroy()]);
    assert.deepEqual(rig.ports(), []);
  });

  test('containers of one pod share the network of the infra process', async () => {
    const pod = await runtime.create(rig.spec());
    const first = await pod.start(rig.container(pod, 'first', ['sleeper']));
    const second = await pod.start(rig.container(pod, 'second', ['sleeper']));
    const netns = [pod.infraPid, first.pid, second.pid].map((pid) => readlinkSync(`/proc/${pid}/ns/net`));
    assert.equal(new Set(netns).size, 1);
    assert.notEqual(netns[0], readlinkSync('/proc/self/ns/net'));
    await pod.destroy();
  });

  test('hostNetwork is the node’s network, without a link', async () => {
    const { ip: _, ...spec } = rig.spec({
      namespaces: { network: 'host', pid: 'container', ipc: 'pod', user: 'host' },
    });
    const pod = await runtime.create(spec);
    assert.equal(readlinkSync(`/proc/${pod.infraPid}/ns/net`), readlinkSync('/proc/self/ns/net'));
    assert.deepEqual(rig.ports(), []);
    await pod.destroy();
  });

  test('the node’s own namespace is never configured', async () => {
    await assert.rejects(rig.network.attach({ uid: 'wrong', pid: process.pid, ip: '10.0.0.2', hostPorts: [] }), {
      name: 'RuntimeError',
      step: 'netns-open',
      code: 'EINVAL',
    });
    assert.deepEqual(rig.ports(), []);
  });

  test('a bridge that somebody removed is made again', async () => {
    await native.addon.deleteLink(bridge);
    const pod = await runtime.create(rig.spec());
    assert.deepEqual(rig.ports(), [rig.network.link(pod.uid)]);
    await pod.destroy();
  });

  test('a link left by an earlier sandbox of the pod is replaced', async () => {
    const spec = rig.spec();
    const first = await runtime.create(spec);
    await native.addon.deleteLink('nosuchlink'); // not there: no error
    await rig.network.attach({ uid: spec.uid, pid: first.infraPid, ip: String(spec.ip), hostPorts: [] });
    assert.deepEqual(rig.ports(), [rig.network.link(spec.uid)]);
    await first.destroy();
  });

  test('a link that is made from several sides at once is made one time after the other', async () => {
    const spec = rig.spec();
    const pod = await runtime.create(spec);
    const attached = { uid: spec.uid, pid: pod.infraPid, ip: String(spec.ip), hostPorts: [] };
    for (let i = 0; i < 20; i++) {
      await Promise.all([1, 2, 3].map(() => rig.network.attach(attached)));
      assert.deepEqual(rig.ports(), [rig.network.link(spec.uid)]);
    }
    await pod.destroy();
  });

  test('an address that is none fails the pod and leaves nothing', async () => {
    const spec = rig.spec({ ip: '10.0.0.256' });
    await assert.rejects(runtime.create(spec), { name: 'RuntimeError', step: 'network-address', object: spec.uid });
    assert.deepEqual(rig.ports(), []);
    assert.deepEqual(runtime.sandboxes(), []);
  });

  test('many pods at once', async () => {
    const pods = await Promise.all(Array.from({ length: 6 }, () => runtime.create(rig.spec())));
    assert.equal(rig.ports().length, 6);
    assert.equal(new Set(pods.map(({ infraPid }) => infraPid)).size, 6);
    await Promise.all(pods.map((pod) => pod.destroy()));
    assert.deepEqual(rig.ports(), []);
  });
});
