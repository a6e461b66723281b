import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedEnough } from '../../../src/node/change.ts';
import { METRICS_IGNORE, METRICS_RULES, type MetricsInput, metricsBody } from '../../../src/node/metrics.ts';

const MIB = 1 << 20;

/** A board at rest; `tick` moves what moves by itself, `used` is the container's memory. */
function reading(tick: number, used = 3 * MIB): MetricsInput {
  const memory = { current: used, workingSet: used, anon: used, peak: 4 * MIB, oomKills: 0, pressure: {} };
  const group = { memory, cpu: { usageUsec: 1000 * tick }, pids: 2 };
  const counters = {
    rxBytes: 1046 + 140 * tick,
    rxPackets: 13 + 2 * tick,
    txBytes: 586 + 70 * tick,
    txPackets: 7 + tick,
  };
  const node = {
    total: 1024 * MIB,
    available: 600 * MIB + tick * 100_000,
    free: (500 - 30 * tick) * MIB,
    cached: 90 * MIB * tick,
  };
  return {
    node: {
      memory: { ...node, pressure: {} },
      cpu: { busySeconds: 10 + tick, totalSeconds: 40 * tick, pressure: { some: 1.39 - tick / 10 } },
      load: { one: 0.3 + tick / 10, five: 0.3, fifteen: 1 - tick / 100 },
      network: { rxBytes: 1e6 * tick, txBytes: 1e5 * tick },
    },
    pods: [
      {
        namespace: 'default',
        name: 'web',
        uid: 'u',
        figures: { ...group, containers: { c: group }, network: counters },
      },
    ],
    agent: { rss: 80 * MIB + tick * 100_000, anon: 25 * MIB },
    disk: { capacityBytes: 8e9, availableBytes: 4e9 - tick * 1e6 },
  };
}

const changed = (a: MetricsInput, b: MetricsInput) =>
  changedEnough(metricsBody(a), metricsBody(b), METRICS_RULES, METRICS_IGNORE);

test('a board at rest sends nothing', () => assert.equal(changed(reading(1), reading(2)), false));
test('a container that grows is sent', () => assert.equal(changed(reading(1), reading(2, 9 * MIB)), true));
test('a container without figures (it ended) is left out', () => {
  const body = reading(1);
  body.pods[0]!.figures.containers.gone = { memory: { pressure: {} }, cpu: {} };
  assert.equal(JSON.stringify(metricsBody(body)).includes('gone'), false);
});
