/** QoS class and oom_score_adj where init containers, sidecars and the pod's own resources come in. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { allContainers } from '../../../src/manifest/containers.ts';
import { oomScoreAdj, qosClass } from '../../../src/manifest/qos.ts';
import { effectiveLimit, effectiveRequest } from '../../../src/manifest/requests.ts';
import type { Pod } from '../../../src/manifest/types/pod.ts';
import { admitted, type Json, rawPod } from './fixtures.ts';

const MI = 1024 * 1024;
const NODE = 1000 * MI;
const FULL = { limits: { cpu: 1, memory: '100Mi' } };
const HALF = { requests: { cpu: 1, memory: '50Mi' }, limits: { cpu: 1, memory: '100Mi' } };

/** A pod of containers `c0`, `c1` …, after init containers `i0` … and sidecars `s0` … in this order. */
function podOf(regular: Json[], { init = [] as Json[], sidecars = [] as Json[], spec = {} as Json } = {}): Pod {
  const named = (letter: string, list: Json[], more: Json = {}) =>
    list.map((resources, i) => ({ name: `${letter}${i}`, image: 'i', resources, ...more }));
  return admitted(
    rawPod({
      initContainers: [...named('i', init), ...named('s', sidecars, { restartPolicy: 'Always' })],
      containers: named('c', regular),
      ...spec,
    }),
  );
}

describe('QoS class', () => {
  const rows: [string, Pod, string][] = [
    ['an init container counts', podOf([FULL], { init: [{}] }), 'Burstable'],
    ['a limited one does not hurt', podOf([FULL], { init: [FULL] }), 'Guaranteed'],
    ['an init container alone asks', podOf([{}], { init: [FULL] }), 'Burstable'],
    ['a sidecar counts', podOf([FULL], { sidecars: [HALF] }), 'Burstable'],
    ['storage does not', podOf([{ limits: { 'ephemeral-storage': '1Gi' } }]), 'BestEffort'],
    [
      'one amount written in two ways',
      podOf([{ requests: { cpu: '1000m', memory: '1Ki' }, limits: { cpu: 1, memory: 1024 } }]),
      'Guaranteed',
    ],
    ['a limit of nothing', podOf([{ limits: { cpu: 0, memory: '1Mi' } }]), 'Burstable'],
    ['the pod over its containers', podOf([HALF, {}], { spec: { resources: FULL } }), 'Burstable'],
    ['the pod alone', podOf([{}, {}], { spec: { resources: FULL } }), 'Guaranteed'],
    ['the pod asks for less than it may have', podOf([{}], { spec: { resources: HALF } }), 'Burstable'],
    ['the pod of one resource', podOf([{}], { spec: { resources: { limits: { memory: '1Mi' } } } }), 'Burstable'],
    ['a pod that names nothing', podOf([FULL], { spec: { resources: {} } }), 'Guaranteed'],
    [
      'a pod that names no amount',
      podOf([FULL], { spec: { resources: { limits: {}, requests: null } } }),
      'Guaranteed',
    ],
  ];
  for (const [what, pod, expected] of rows) test(what, () => assert.equal(qosClass(pod), expected));

  test("the pod's requests have defaults only where it has limits", () => {
    const own = (resources: Json) => podOf([HALF, HALF], { spec: { resources } }).spec.resources;
    assert.equal(own({}), undefined);
    assert.deepEqual(own({ requests: { cpu: 3 } }), { requests: { cpu: '3' } });
    assert.deepEqual(own({ limits: { memory: '1Gi' } }), {
      limits: { memory: '1Gi' },
      requests: { cpu: '2', memory: '100Mi' },
    });
  });
});

describe('oom_score_adj', () => {
  const memory = (mebi: number) => ({ requests: { memory: `${mebi}Mi` } });
  const critical = { priorityClassName: 'system-node-critical' };
  const rows: [string, Pod, Record<string, number>][] = [
    ['a tenth and a half of the node', podOf([memory(100), memory(500)]), { c0: 900, c1: 500 }],
    ['none in a pod that asks', podOf([memory(100), {}]), { c0: 900, c1: 999 }],
    ['all of the node, and more', podOf([memory(998), memory(2000)]), { c0: 3, c1: 3 }],
    [
      'a sidecar is as safe as the least of those it serves',
      podOf([memory(300), memory(200)], { sidecars: [memory(50)] }),
      { s0: 800, c0: 700, c1: 800 },
    ],
    ['a sidecar that asks for more is safer', podOf([memory(100)], { sidecars: [memory(400)] }), { s0: 600, c0: 900 }],
    ['an init container stands for itself', podOf([memory(300)], { init: [memory(50)] }), { i0: 950, c0: 700 }],
    [
      'what only the pod asks for is shared',
      podOf([memory(100), {}], { spec: { resources: memory(500) } }),
      { c0: 700, c1: 800 },
    ],
    [
      'and with sidecars',
      podOf([memory(100)], { sidecars: [memory(100)], spec: { resources: memory(400) } }),
      { s0: 800, c0: 800 },
    ],
    ['all of it taken', podOf([memory(100), memory(200)], { spec: { resources: memory(300) } }), { c0: 900, c1: 800 }],
    ['Guaranteed by the pod', podOf([{}, {}], { spec: { resources: FULL } }), { c0: -997, c1: -997 }],
    ['critical to the node', podOf([{}], { spec: critical }), { c0: -997 }],
    [
      'critical to a cluster, which is no matter here',
      podOf([{}], { spec: { priorityClassName: 'system-cluster-critical' } }),
      { c0: 1000 },
    ],
    ['of high priority', podOf([{}], { spec: { priority: 1_000_000_000 } }), { c0: 1000 }],
  ];
  for (const [what, pod, expected] of rows)
    test(what, () => {
      const scores = allContainers(pod.spec).map((container) => [container.name, oomScoreAdj(pod, container, NODE)]);
      assert.deepEqual(Object.fromEntries(scores), expected);
    });
});

describe('effective request and limit', () => {
  const asks = (mebi: number) => ({ requests: { cpu: '100m', memory: `${mebi}Mi` } });
  const rows: [string, Pod, number][] = [
    ['the larger init container', podOf([asks(10)], { init: [asks(30), asks(20)] }), 30],
    ['regular containers and sidecars', podOf([asks(10), asks(20)], { sidecars: [asks(5)] }), 35],
    ['overhead', podOf([asks(10)], { spec: { overhead: { memory: '7Mi' } } }), 17],
    ['the pod instead', podOf([asks(10)], { spec: { resources: asks(100), overhead: { memory: '7Mi' } } }), 107],
    ['the pod where it says so', podOf([asks(10)], { spec: { resources: { requests: { cpu: 1 } } } }), 10],
  ];
  for (const [what, pod, mebi] of rows) test(what, () => assert.equal(effectiveRequest(pod).memoryBytes, mebi * MI));

  test('overhead comes on top of a limit there is', () => {
    const overhead = { cpu: 1, memory: '1Mi' };
    assert.deepEqual(effectiveLimit(podOf([{ limits: { memory: '9Mi' } }], { spec: { overhead } })), {
      memoryBytes: 10 * MI,
    });
    assert.deepEqual(effectiveLimit(podOf([FULL, {}], { spec: { overhead } })), {});
    assert.deepEqual(effectiveLimit(podOf([FULL, {}], { spec: { overhead, resources: { limits: { cpu: 3 } } } })), {
      cpuMilli: 4000,
    });
  });
});
