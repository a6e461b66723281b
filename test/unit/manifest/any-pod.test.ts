/** What holds for every pod there can be, and for every pod with one thing changed in it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { admitPod } from '../../../src/manifest/admit.ts';
import { changeKind } from '../../../src/manifest/change-kind.ts';
import { allContainers } from '../../../src/manifest/containers.ts';
import { manifestDigest, specDigest } from '../../../src/manifest/digest.ts';
import { FIELDS, type FieldTable, PLACES, type TypeName } from '../../../src/manifest/fields.ts';
import type { OciConfig } from '../../../src/manifest/oci/types.ts';
import { ociConfig } from '../../../src/manifest/oci.ts';
import { oomScoreAdj, qosClass } from '../../../src/manifest/qos.ts';
import { effectiveLimit, effectiveRequest } from '../../../src/manifest/requests.ts';
import { podResources } from '../../../src/manifest/resources.ts';
import type { Container } from '../../../src/manifest/types/container.ts';
import type { Pod } from '../../../src/manifest/types/pod.ts';
import { anyPod } from './any-pod.ts';
import { admitted, type Json } from './fixtures.ts';

const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe('any pod', () => {
  test('is admitted, its defaults are final, and its digests are those of what it means', () => {
    fc.assert(
      fc.property(anyPod, (raw) => {
        const pod = admitted(raw);
        const again = admitted(copy(pod));
        assert.deepEqual(again, pod);
        assert.equal(specDigest(again), specDigest(pod));
        assert.equal(manifestDigest(again), manifestDigest(pod));
        assert.deepEqual(changeKind(pod.spec, again.spec), { kind: 'none', containers: [], pod: false });
      }),
    );
  });

  test('asks for no less than any of its containers, and has one QoS class', () => {
    fc.assert(
      fc.property(anyPod, fc.integer({ min: 2 ** 26, max: 2 ** 36 }), (raw, nodeMemory) => {
        const pod = admitted(raw);
        const request = effectiveRequest(pod);
        const limit = effectiveLimit(pod);
        assert.ok(Object.values(request).every((amount) => Number.isSafeInteger(amount) && amount >= 0));
        assert.ok(limit.memoryBytes === undefined || limit.memoryBytes > 0);
        const qos = qosClass(pod);
        for (const container of allContainers(pod.spec)) {
          const score = oomScoreAdj(pod, container, nodeMemory);
          if (qos === 'BestEffort') assert.equal(score, 1000);
          else if (qos === 'Guaranteed') assert.equal(score, -997);
          else assert.ok(Number.isInteger(score) && score >= 3 && score <= 999, `${score}`);
        }
        const { cpu, memory } = podResources(pod);
        assert.ok(cpu?.shares !== undefined && cpu.shares >= 2 && cpu.shares <= 262_144);
        assert.equal(memory?.limit, memory?.swap);
      }),
    );
  });

  test('gives every container a configuration the runner can take', () => {
    fc.assert(
      fc.property(anyPod, (raw) => {
        const pod = admitted(raw);
        for (const container of allContainers(pod.spec)) checkConfig(configOf(pod, container), container);
      }),
    );
  });

  test('with one thing changed is a pod, or refused by path: never an exception', () => {
    fc.assert(
      fc.property(anyPod, fc.nat(), fc.jsonValue({ maxDepth: 2 }), (raw, at, value) => {
        const changed = mutated(raw, at, value);
        const result = admitPod(changed);
        if ('pod' in result) {
          assert.deepEqual(admitted(copy(result.pod)), result.pod);
          return;
        }
        assert.ok(result.errors.length > 0);
        for (const { path, reason } of result.errors) assert.ok(typeof path === 'string' && reason.length > 0);
      }),
      { numRuns: 500 },
    );
  });

  test('has, among many, every field that is honoured', () => {
    const seen = new Set<string>();
    for (const raw of fc.sample(anyPod, { numRuns: 400, seed: 1 })) collect(raw, '', seen);
    const missing = (Object.entries(FIELDS) as [TypeName, FieldTable][])
      .filter(([type]) => type !== 'ConfigMap' && type !== 'Secret')
      .flatMap(([type, table]) =>
        Object.entries(table)
          .filter(([, { support }]) => support === 'yes')
          .map(([name]) => (PLACES[type] === '' ? name : `${PLACES[type]}.${name}`)),
      )
      .filter((path) => !seen.has(path));
    assert.deepEqual(missing.sort(), OF_TOMBSTONES);
  });
});

/** A request for deletion is no pod any more. */
const OF_TOMBSTONES = ['metadata.deletionGracePeriodSeconds', 'metadata.deletionTimestamp'];

/** Not root: many of the pods must not be. */
const IMAGE = { env: ['LANG=C'], entrypoint: ['/entry'], cmd: [], workingDir: '/', user: '1000' };

function configOf(pod: Pod, { name, volumeMounts }: Container): OciConfig {
  return ociConfig({
    pod,
    container: name,
    image: { config: IMAGE, lowerDirs: ['/l/1'] },
    variables: new Map(),
    hostname: 'p',
    cgroupsPath: `edgepod/podU/${name}`,
    upperDir: '/u',
    workDir: '/w',
    mounts: volumeMounts.map(({ mountPath, readOnly, subPath }) => ({
      source: '/volume',
      destination: mountPath,
      readOnly,
      ...(subPath !== undefined && { within: { root: '/volume', subPath } }),
    })),
    etc: { hosts: '/e/hosts', hostname: '/e/hostname', resolvConf: '/e/resolv.conf' },
    nodeMemory: 2 ** 30,
    seccomp: { defaultAction: 'SCMP_ACT_ERRNO' },
  });
}

function checkConfig({ process, root, mounts, linux }: OciConfig, container: Container): void {
  assert.ok(process.args.length > 0 && process.args.every((word) => typeof word === 'string'));
  assert.ok(process.env.every((entry) => entry.includes('=') && !entry.includes('\0')));
  assert.ok(process.cwd.startsWith('/'));
  assert.ok(process.user.uid >= 0 && process.user.gid >= 0);
  assert.ok(process.oomScoreAdj >= -997 && process.oomScoreAdj <= 1000);
  const own = container.securityContext;
  assert.equal(process.noNewPrivileges, own?.allowPrivilegeEscalation === false);
  assert.equal(root.readonly, own?.readOnlyRootFilesystem === true);
  for (const { destination } of mounts) assert.ok(destination.startsWith('/') && !destination.includes('/../'));
  for (const { mountPath, readOnly } of container.volumeMounts) {
    const made = mounts.filter(({ destination }) => destination === mountPath);
    assert.equal(made.length, 1, mountPath);
    assert.ok(made[0]?.options.includes(readOnly ? 'ro' : 'rw'));
  }
  const kinds = linux.namespaces.map(({ type }) => type);
  assert.equal(new Set(kinds).size, kinds.length);
  assert.ok(kinds.includes('mount') && kinds.includes('cgroup'));
  assert.equal(linux.seccomp === undefined, own?.privileged === true);
  assert.equal(linux.maskedPaths.length === 0, own?.privileged === true);
}

/** Paths as PLACES writes them, of everything in a manifest. A container of either list counts. */
function collect(value: unknown, path: string, seen: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) collect(item, `${path}[]`, seen);
  else if (typeof value === 'object' && value !== null)
    for (const [name, member] of Object.entries(value)) {
      const at = path === '' ? name : `${path}.${name}`;
      seen.add(at);
      seen.add(at.replace('initContainers[]', 'containers[]'));
      collect(member, at, seen);
    }
}

/** `raw` with the `n`th thing in it replaced, or removed where `by` is null. */
function mutated(raw: Json, n: number, by: unknown): unknown {
  const changed = copy(raw);
  const places: [holder: Json, key: string][] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const key of Object.keys(value)) {
      places.push([value as Json, key]);
      walk((value as Json)[key]);
    }
  };
  walk(changed);
  const [holder, key] = places[n % places.length] as [Json, string];
  if (by === null && !Array.isArray(holder)) delete holder[key];
  else holder[key] = by;
  return changed;
}
