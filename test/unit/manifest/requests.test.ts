import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cpuQuota, cpuShares } from '../../../src/manifest/cpu.ts';
import { oomScoreAdj, qosClass } from '../../../src/manifest/qos.ts';
import { effectiveAmounts, effectiveLimit, effectiveRequest } from '../../../src/manifest/requests.ts';
import { containerResources, podResources, SANDBOX_MEMORY } from '../../../src/manifest/resources.ts';
import type { Container } from '../../../src/manifest/types/container.ts';
import type { Pod } from '../../../src/manifest/types/pod.ts';
import { admitted, type Json, rawPod } from './fixtures.ts';

const MI = 1024 * 1024;

function podOf(...resources: Json[]): Pod {
  return admitted(rawPod({ containers: resources.map((r, i) => ({ name: `c${i}`, image: 'i', resources: r })) }));
}

const first = (pod: Pod) => pod.spec.containers[0] as Container;

const BEST_EFFORT = podOf({}, {});
const GUARANTEED = podOf({ limits: { cpu: 1, memory: '64Mi' } }, { limits: { cpu: '500m', memory: '32Mi' } });
const LIMITED = podOf({ limits: { cpu: 1, memory: '64Mi' }, requests: { cpu: '100m', memory: '32Mi' } });
const HALF_LIMITED = podOf({ limits: { cpu: 1, memory: '64Mi' } }, { requests: { memory: '16Mi' } });
const CPU_ONLY = podOf({ limits: { cpu: 1 } });

describe('effective amounts', () => {
  const amounts = (cpuMilli: number, memoryBytes = 0) => ({ cpuMilli, memoryBytes, storageBytes: 0 });
  const init = (cpuMilli: number, sidecar = false) => ({ amounts: amounts(cpuMilli), sidecar });
  const rows: [string, Parameters<typeof effectiveAmounts>[0], number][] = [
    ['nothing', { regular: [] }, 0],
    ['regular containers add up', { regular: [amounts(1), amounts(2)] }, 3],
    ['init containers do not', { regular: [amounts(1)], init: [init(5), init(4)] }, 5],
    ['a sidecar runs beside the regular ones', { regular: [amounts(3)], init: [init(2, true)] }, 5],
    ['and beside later init containers', { regular: [amounts(1)], init: [init(2, true), init(5)] }, 7],
    ['but not beside earlier ones', { regular: [amounts(1)], init: [init(5), init(2, true)] }, 5],
    ['sidecars alone', { regular: [], init: [init(2, true), init(3, true)] }, 5],
    ['overhead comes on top', { regular: [amounts(1)], init: [init(5)], overhead: amounts(10) }, 15],
  ];
  for (const [what, input, cpuMilli] of rows)
    test(what, () => assert.deepEqual(effectiveAmounts(input), { cpuMilli, memoryBytes: 0, storageBytes: 0 }));

  test('of a pod', () => {
    assert.deepEqual(effectiveRequest(GUARANTEED), { cpuMilli: 1500, memoryBytes: 96 * MI, storageBytes: 0 });
    assert.deepEqual(effectiveRequest(HALF_LIMITED), { cpuMilli: 1000, memoryBytes: 80 * MI, storageBytes: 0 });
    assert.deepEqual(effectiveLimit(GUARANTEED), { cpuMilli: 1500, memoryBytes: 96 * MI });
    assert.deepEqual(effectiveLimit(HALF_LIMITED), {});
    assert.deepEqual(effectiveLimit(CPU_ONLY), { cpuMilli: 1000 });
  });
});

describe('quality of service', () => {
  const rows: [string, Pod, string][] = [
    ['nothing said', BEST_EFFORT, 'BestEffort'],
    ['zeros', podOf({ limits: { cpu: 0, memory: 0 } }), 'BestEffort'],
    ['limits only', GUARANTEED, 'Guaranteed'],
    ['requests below limits', LIMITED, 'Burstable'],
    ['one container without limits', HALF_LIMITED, 'Burstable'],
    ['cpu limits only', CPU_ONLY, 'Burstable'],
    ['requests only', podOf({ requests: { memory: 1 } }), 'Burstable'],
  ];
  for (const [what, pod, qos] of rows) test(what, () => assert.equal(qosClass(pod), qos));

  const scores: [string, Pod, number, number][] = [
    ['Guaranteed', GUARANTEED, 1024 * MI, -997],
    ['BestEffort', BEST_EFFORT, 1024 * MI, 1000],
    ['a 32nd of the node', LIMITED, 1024 * MI, 969],
    ['no memory asked for', CPU_ONLY, 1024 * MI, 1000 - 1],
    ['the whole node', LIMITED, 32 * MI, 3],
    ['more than the node', LIMITED, MI, 3],
  ];
  for (const [what, pod, node, score] of scores)
    test(`oom_score_adj: ${what}`, () => assert.equal(oomScoreAdj(pod, first(pod), node), score));
});

describe('cgroup figures', () => {
  test('shares and quota', () => {
    assert.deepEqual([0, 1, 2, 250, 1000, 300_000].map(cpuShares), [2, 2, 2, 256, 1024, 262144]);
    assert.deepEqual([0, 1, 10, 500, 2000].map(cpuQuota), [undefined, 1000, 1000, 50_000, 200_000]);
  });

  test('a pod is limited where all its containers are, with room for its sandbox', () => {
    const limit = 96 * MI + SANDBOX_MEMORY;
    assert.deepEqual(podResources(GUARANTEED), {
      memory: { limit, swap: limit },
      cpu: { shares: 1536, quota: 150_000, period: 100_000 },
    });
    assert.deepEqual(podResources(HALF_LIMITED), { cpu: { shares: 1024 } });
    assert.deepEqual(podResources(BEST_EFFORT, { pidsLimit: 100 }), { cpu: { shares: 2 }, pids: { limit: 100 } });
  });

  test('a container has its own limits and no swap', () => {
    assert.deepEqual(containerResources(first(LIMITED), LIMITED), {
      memory: { limit: 64 * MI, swap: 64 * MI },
      cpu: { shares: 102, quota: 100_000, period: 100_000 },
      unified: { 'memory.oom.group': '1' },
    });
    assert.deepEqual(containerResources(first(BEST_EFFORT), BEST_EFFORT), {
      cpu: { shares: 2 },
      unified: { 'memory.oom.group': '1' },
    });
  });

  test('what a container has no limit of it takes from the pod', () => {
    const pod = { spec: { ...LIMITED.spec, resources: { limits: { cpu: '2', memory: '1Gi' } } } };
    assert.deepEqual(containerResources(first(LIMITED), pod).memory, { limit: 64 * MI, swap: 64 * MI });
    assert.deepEqual(containerResources(first(BEST_EFFORT), pod), {
      memory: { limit: 1024 * MI, swap: 1024 * MI },
      cpu: { shares: 2, quota: 200_000, period: 100_000 },
      unified: { 'memory.oom.group': '1' },
    });
  });
});
