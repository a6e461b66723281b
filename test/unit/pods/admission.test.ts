import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admitPod } from '../../../src/manifest/admit.ts';
import type { Pod } from '../../../src/manifest/types/pod.ts';
import { admission, type Occupancy, refusal } from '../../../src/pods/admission/admission.ts';

const room = { cpuMilli: 2000, memoryBytes: 2_000_000_000, storageBytes: 1_000_000_000, pods: 3 };

function pod(name: string, spec: object): Pod {
  const manifest = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec };
  const admitted = admitPod(manifest);
  assert.ok('pod' in admitted, JSON.stringify(admitted));
  return admitted.pod;
}

const asks = (requests: object, rest: object = {}) => ({ image: 'x', resources: { requests }, ...rest });
const plain = (name: string, ...requests: object[]) =>
  pod(name, { containers: requests.map((request, at) => ({ name: `c${at}`, ...asks(request) })) });
const port = (name: string, ports: object[], rest: object = {}) =>
  pod(name, { ...rest, containers: [{ name: 'c', image: 'x', ports }] });

describe('room for the pod as a whole', () => {
  for (const [what, wanted, beside, reason, figures] of [
    ['fits exactly', plain('a', { memory: '1G' }), [plain('b', { memory: '1G' })], undefined, ''],
    [
      'three containers of 1G are one request of 3G',
      plain('a', { memory: '1G' }, { memory: '1G' }, { memory: '1G' }),
      [],
      'OutOfmemory',
      'requested: 3000000000, used: 0, capacity: 2000000000',
    ],
    ['cpu', plain('a', { cpu: '1500m' }), [plain('b', { cpu: '1' })], 'OutOfcpu', 'requested: 1500, used: 1000'],
    ['disk', plain('a', { 'ephemeral-storage': '2G' }), [], 'OutOfephemeral-storage', 'requested: 2000000000'],
    ['pods', plain('a', {}), [plain('b', {}), plain('c', {}), plain('d', {})], 'OutOfpods', 'requested: 1, used: 3'],
    [
      'an init container that needs more than all that follows',
      pod('a', {
        initContainers: [{ name: 'i', ...asks({ memory: '3G' }) }],
        containers: [{ name: 'c', ...asks({ memory: '1M' }) }],
      }),
      [],
      'OutOfmemory',
      'requested: 3000000000',
    ],
    [
      'a sidecar counts beside the containers, overhead on top',
      pod('a', {
        initContainers: [{ name: 'i', restartPolicy: 'Always', ...asks({ memory: '1G' }) }],
        containers: [{ name: 'c', ...asks({ memory: '1G' }) }],
        overhead: { memory: '1M' },
      }),
      [],
      'OutOfmemory',
      'requested: 2001000000',
    ],
    [
      'a request of the pod itself replaces the sum',
      pod('a', { resources: { requests: { memory: '2G' } }, containers: [{ name: 'c', ...asks({ memory: '1G' }) }] }),
      [],
      undefined,
      '',
    ],
    [
      'a pod that asks for nothing fits a full node',
      plain('a', {}),
      [plain('b', { memory: '2G', cpu: '2' })],
      undefined,
      '',
    ],
  ] as const)
    test(what, () => {
      const outcome = refusal(wanted, { admitted: [...beside], allocatable: room });
      assert.equal(outcome?.reason, reason);
      if (reason) assert.ok(outcome?.message?.includes(figures), outcome?.message);
    });
});

describe('ports of the node', () => {
  const web = { containerPort: 80, hostPort: 8080 };
  const listener =
    (ip: string, protocol = 'TCP') =>
    () => [{ ip, port: 8080, protocol, by: () => 'nginx (pid 7)' }];
  for (const [what, wanted, taken, says] of [
    ['the same port', port('a', [web]), { admitted: [port('b', [web])] }, /8080\/TCP is in use by pod default\/b/],
    ['another protocol', port('a', [{ ...web, protocol: 'UDP' }]), { admitted: [port('b', [web])] }, undefined],
    [
      'two addresses',
      port('a', [{ ...web, hostIP: '192.0.2.1' }]),
      { admitted: [port('b', [{ ...web, hostIP: '192.0.2.2' }])] },
      undefined,
    ],
    [
      'one address and all',
      port('a', [{ ...web, hostIP: '192.0.2.1' }]),
      { admitted: [port('b', [{ ...web, hostIP: '0.0.0.0' }])] },
      /in use by pod/,
    ],
    [
      'a pod in the node’s network',
      port('a', [web]),
      { admitted: [port('b', [{ containerPort: 8080 }], { hostNetwork: true })] },
      /in use by pod/,
    ],
    [
      'only containerPort',
      port('a', [{ containerPort: 8080 }]),
      { admitted: [port('b', [web])], listening: listener('0.0.0.0') },
      undefined,
    ],
    [
      'a process of the node',
      port('a', [web]),
      { listening: listener('0.0.0.0') },
      /8080\/TCP is in use by nginx \(pid 7\)/,
    ],
    ['a process on loopback', port('a', [web]), { listening: listener('127.0.0.53') }, /listens on 127\.0\.0\.53/],
    [
      'a process on another address',
      port('a', [{ ...web, hostIP: '192.0.2.1' }]),
      { listening: listener('127.0.0.53') },
      undefined,
    ],
    ['a process of another protocol', port('a', [web]), { listening: listener('0.0.0.0', 'UDP') }, undefined],
  ] as [string, Pod, Partial<Occupancy>, RegExp | undefined][])
    test(what, () => {
      const outcome = refusal(wanted, { admitted: [], allocatable: room, ...taken });
      assert.equal(outcome?.reason, says && 'NodePorts');
      if (says) assert.match(outcome?.message ?? '', says);
    });
});

describe('pods that are on their way out', () => {
  const web = { containerPort: 80, hostPort: 8080 };
  const [going, staying] = [port('going', [web]), port('staying', [web])];
  const big = (name: string) => plain(name, { memory: '1500M' });
  const listening = () => [{ ip: '0.0.0.0', port: 8080, protocol: 'TCP', by: () => 'web (pid 7)' }];
  for (const [what, wanted, admitted, leaving, expected] of [
    ['nothing in the way', port('a', []), [going], [going], undefined],
    ['their port, which one of their processes may listen on', port('a', [web]), [going], [going], true],
    ['their memory', big('a'), [big('b')], 'all', true],
    ['a port another pod has too', port('a', [web]), [going, staying], [going], false],
    ['nobody goes', port('a', [web]), [staying], [], false],
    ['more than there ever is', plain('a', { memory: '3G' }), [going], [going], false],
  ] as [string, Pod, Pod[], Pod[] | 'all', boolean | undefined][])
    test(what, () => {
      const gone = leaving === 'all' ? admitted : leaving;
      assert.equal(admission(wanted, { admitted, leaving: gone, allocatable: room, listening })?.passing, expected);
    });
});

describe('AppArmor on a kernel without it', () => {
  const profile = (type: string, rest: object = {}) => ({ securityContext: { appArmorProfile: { type, ...rest } } });
  const named = profile('Localhost', { localhostProfile: 'mine' });
  for (const [what, spec, container, fits] of [
    ['none', {}, {}, true],
    ['Unconfined', profile('Unconfined'), {}, true],
    ['RuntimeDefault of the pod', profile('RuntimeDefault'), {}, false],
    ['Localhost of a container', {}, named, false],
    ['the container’s counts', profile('RuntimeDefault'), profile('Unconfined'), true],
    ['of an init container', { initContainers: [{ name: 'i', image: 'x', ...named }] }, {}, false],
  ] as [string, object, object, boolean][])
    test(what, () => {
      const wanted = pod('a', { ...spec, containers: [{ name: 'c', image: 'x', ...container }] });
      const outcome = (appArmor: boolean) =>
        refusal(wanted, { admitted: [], allocatable: room, appArmor: () => appArmor });
      const said = fits ? undefined : 'Cannot enforce AppArmor: AppArmor is not enabled on the host';
      assert.deepEqual([outcome(false)?.reason, outcome(false)?.message], [fits ? undefined : 'AppArmor', said]);
      assert.equal(outcome(true), undefined);
    });
});
