import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { changeKind, type SpecChange } from '../../../src/manifest/change-kind.ts';
import { admitted, type Json, rawPod } from './fixtures.ts';

type Row = [what: string, before: Json, after: Json, change: SpecChange];

const NONE: SpecChange = { kind: 'none', containers: [], pod: false };
const OTHER: SpecChange = { kind: 'other', containers: [], pod: false };
const images = (...containers: string[]): SpecChange => ({ kind: 'images', containers, pod: false });
const resources = (containers: string[], pod = false): SpecChange => ({ kind: 'resources', containers, pod });

const one = (container: Json = {}, spec: Json = {}) => rawPod(spec, container);
const two = (a: Json, b: Json) =>
  rawPod({
    containers: [
      { name: 'a', image: 'i', ...a },
      { name: 'b', image: 'i', ...b },
    ],
  });
const init = (container: Json) => rawPod({ initContainers: [{ name: 'i', image: 'i', ...container }] });
const asking = (requests: Json, limits?: Json) => ({ resources: { requests, ...(limits && { limits }) } });
const limited = (limits: Json) => ({ resources: { limits } });

function check(rows: readonly Row[]): void {
  for (const [what, before, after, expected] of rows)
    test(what, () => assert.deepEqual(changeKind(admitted(before).spec, admitted(after).spec), expected));
}

describe('nothing that matters', () => {
  check([
    ['the same', one(), one(), NONE],
    ['a default written out', one(), one({ terminationMessagePolicy: 'File' }, { dnsPolicy: 'ClusterFirst' }), NONE],
    ['members in another order', one(limited({ cpu: 1, memory: 2 })), one(limited({ memory: 2, cpu: 1 })), NONE],
    ['what is ignored', one(), one({}, { nodeSelector: { a: 'b' } }), NONE],
  ]);
});

describe('the deadline', () => {
  const within = (activeDeadlineSeconds?: number, container: Json = {}) =>
    one(container, activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds });
  check([
    ['a first one', within(), within(5), NONE],
    ['an earlier one', within(9), within(5), NONE],
    ['a later one', within(5), within(9), OTHER],
    ['none any more', within(5), within(), OTHER],
    ['with another image', within(), within(5, { image: 'j' }), images('c')],
    ['with anything else', within(), within(5, { args: ['x'] }), OTHER],
  ]);
});

describe('images', () => {
  check([
    ['of one container', two({}, {}), two({ image: 'j' }, {}), images('a')],
    ['of both', two({}, {}), two({ image: 'j' }, { image: 'k' }), images('a', 'b')],
    ['of an init container', init({}), init({ image: 'j' }), images('i')],
    ['with the pull policy that comes along', one({ image: 'i:1' }), one({ image: 'i:latest' }), images('c')],
    ['the policy alone restarts nothing', one(), one({ imagePullPolicy: 'Never' }), images()],
    ['with anything else', one(), one({ image: 'j', args: ['x'] }), OTHER],
    ['with resources', one(asking({ cpu: 1 })), one({ image: 'j', ...asking({ cpu: 2 }) }), OTHER],
  ]);
});

describe('resources', () => {
  const pod = (limits: Json, container: Json = {}) => one(container, { resources: { limits } });
  const sidecar = (fields: Json) => init({ restartPolicy: 'Always', ...fields });
  check([
    ['a request', one(asking({ cpu: 1 })), one(asking({ cpu: 2 })), resources(['c'])],
    ['a limit', one(limited({ memory: '64Mi' })), one(limited({ memory: '32Mi' })), resources(['c'])],
    ['the same amount written otherwise', one(asking({ cpu: 1 })), one(asking({ cpu: '1000m' })), resources(['c'])],
    [
      'of one of two',
      two(asking({ cpu: 1 }), asking({ cpu: 1 })),
      two(asking({ cpu: 2 }), asking({ cpu: 1 })),
      resources(['a']),
    ],
    ['of a sidecar', sidecar(asking({ cpu: 1 })), sidecar(asking({ cpu: 2 })), resources(['i'])],
    ['of a plain init container', init(asking({ cpu: 1 })), init(asking({ cpu: 2 })), OTHER],
    ['of the pod', pod({ cpu: 1 }), pod({ cpu: 2 }), resources([], true)],
    [
      'of pod and container',
      pod({ cpu: 1 }, limited({ cpu: 1 })),
      pod({ cpu: 2 }, limited({ cpu: 2 })),
      resources(['c'], true),
    ],
    ['a request that was not there', one(asking({ cpu: 1 })), one(asking({ cpu: 1, memory: 1 })), OTHER],
    ['a limit taken away', one(limited({ cpu: 1 })), one(asking({ cpu: 1 })), OTHER],
    ['storage', one(asking({ 'ephemeral-storage': 1 })), one(asking({ 'ephemeral-storage': 2 })), OTHER],
    [
      'Guaranteed to Burstable',
      one(limited({ cpu: 2, memory: 2 })),
      one(asking({ cpu: 1 }, { cpu: 2, memory: 2 })),
      OTHER,
    ],
    [
      'Guaranteed to Guaranteed',
      one(limited({ cpu: 2, memory: 2 })),
      one(limited({ cpu: 1, memory: 1 })),
      resources(['c']),
    ],
    ['nothing to something', one(), one(asking({ cpu: 1 })), OTHER],
    [
      'with a resize policy',
      one(asking({ cpu: 1 })),
      one({ ...asking({ cpu: 2 }), resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] }),
      OTHER,
    ],
  ]);
});

describe('another pod', () => {
  const fields: Json[] = [
    { command: ['x'] },
    { env: [{ name: 'A' }] },
    { workingDir: '/x' },
    { ports: [{ containerPort: 1 }] },
    { livenessProbe: { tcpSocket: { port: 1 } } },
    { lifecycle: { stopSignal: 'SIGUSR1' } },
    { securityContext: { privileged: true } },
    { terminationMessagePolicy: 'FallbackToLogsOnError' },
    { restartPolicy: 'Never' },
    { stdin: true },
    { name: 'd' },
  ];
  check(fields.map((field): Row => [Object.keys(field)[0] as string, one(), one(field), OTHER]));
  const specs: Json[] = [
    { restartPolicy: 'Never' },
    { terminationGracePeriodSeconds: 1 },
    { hostNetwork: true },
    { hostname: 'h' },
    { hostnameOverride: 'h' },
    { volumes: [{ name: 'v' }] },
    { securityContext: { fsGroup: 1 } },
    { priority: 1 },
    { overhead: { cpu: 1 } },
    { readinessGates: [{ conditionType: 'a' }] },
    { initContainers: [{ name: 'i', image: 'i' }] },
  ];
  check(specs.map((spec): Row => [Object.keys(spec)[0] as string, one(), one({}, spec), OTHER]));
  check([
    ['a container more', one(), two({}, {}), OTHER],
    [
      'containers in another order',
      two({}, { image: 'j' }),
      rawPod({
        containers: [
          { name: 'b', image: 'j' },
          { name: 'a', image: 'i' },
        ],
      }),
      OTHER,
    ],
  ]);
});
