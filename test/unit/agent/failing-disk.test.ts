/** What the agent does now and then must not end it when the disk, or /proc, gives an error. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricsLoop } from '../../../src/agent/board/metrics.ts';
import { NodeReport } from '../../../src/agent/board/node-report.ts';
import { Topics } from '../../../src/broker/topics.ts';
import { quickFacts } from '../../../src/node/facts.ts';
import type { PodManager } from '../../../src/pods/manager.ts';
import { readFeatures } from '../../../src/runtime/features.ts';
import { loadAddon } from '../../../src/runtime/native.ts';
import type { OutboxTable } from '../../../src/store/outbox.ts';

const topics = new Topics({ prefix: 'edgepod', device: 'board-7', groups: [] });

function log() {
  const lines: string[] = [];
  return { lines, warn: (...args: unknown[]) => void lines.push(String(args[1])) };
}

test('a node report that the full disk refuses is made again', async () => {
  const told: string[] = [];
  let full = true;
  const outbox = {
    putRetained(topic: string) {
      if (full) throw new Error('disk full');
      told.push(topic);
    },
  } as unknown as OutboxTable;
  const warnings = log();
  const report = new NodeReport({
    topics,
    outbox,
    facts: quickFacts(),
    findFacts: () => new Promise(() => {}),
    features: await readFeatures(loadAddon()),
    dataDir: '/',
    hostIp: () => '192.0.2.7',
    networkFault: () => undefined,
    allocatable: () => ({ cpuMilli: 1000, memoryBytes: 1, storageBytes: 1, pods: 1 }),
    pressures: () => [],
    clock: { now: () => new Date(0) },
    log: warnings,
  });
  report.start();
  report.stop();
  assert.deepEqual(told, []);
  assert.equal(warnings.lines.length, 1);
  full = false;
  report.publish();
  assert.deepEqual(told, [topics.node]);
});

test('figures that cannot be read are told of once, and sent again when they can', async () => {
  const sent: string[] = [];
  const warnings = log();
  const options = {
    addon: loadAddon(),
    manager: { list: () => [] } as unknown as PodManager,
    session: {
      addListener: () => {},
      connected: true,
      publishQos0: (topic: string) => sent.push(topic) > 0,
    },
    topics,
    dataDir: '/nowhere',
    bridge: 'none',
    link: () => '',
    intervalSeconds: 60,
    now: () => new Date(0),
    log: warnings,
  };
  const metrics = new MetricsLoop(options);
  await metrics.look();
  await metrics.look();
  assert.deepEqual([sent, warnings.lines.length], [[], 1]);
  options.dataDir = '/';
  await metrics.look();
  assert.deepEqual(sent, [topics.metrics]);
});
