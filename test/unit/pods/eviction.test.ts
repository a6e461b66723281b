import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Pod } from '../../../src/manifest/types/pod.ts';
import { exceededStorage, hasStorageLimit } from '../../../src/pods/eviction/local-storage.ts';
import { Relief } from '../../../src/pods/eviction/relief.ts';
import { storageExcess } from '../../../src/pods/eviction/storage-check.ts';
import type { Parts } from '../../../src/pods/worker/incarnation.ts';
import type { PodWorker } from '../../../src/pods/worker/worker.ts';
import { container, pod } from './fixtures.ts';

const limited = (name: string, limit: string) =>
  container(name, { resources: { limits: { 'ephemeral-storage': limit } } });
const MIB = 2 ** 20;

describe('limits on the disk', () => {
  const volumes = [
    { name: 'v', emptyDir: { sizeLimit: '1Mi' } },
    { name: 'mem', emptyDir: { medium: 'Memory' as const, sizeLimit: '1' } },
  ];
  const rows: [string, Pod, Record<string, number>, Record<string, number>, string | undefined][] = [
    ['within', pod('p', { volumes }), { v: MIB }, {}, undefined],
    [
      'an emptyDir',
      pod('p', { volumes }),
      { v: MIB + 1 },
      {},
      'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ',
    ],
    [
      'one container of two',
      pod('p', { containers: [limited('a', '1Mi'), container('b')] }),
      {},
      { a: MIB + 1, b: 5 * MIB },
      'Container a exceeded its local ephemeral storage limit "1Mi". ',
    ],
    [
      'all together, with what is in volumes',
      pod('p', { volumes: [{ name: 'v', emptyDir: {} }], containers: [limited('a', '1Mi'), limited('b', '1Mi')] }),
      { v: MIB },
      { a: MIB / 2 + 1, b: MIB / 2 },
      'Pod ephemeral local storage usage exceeds the total limit of containers 2097152. ',
    ],
  ];
  for (const [what, object, inVolumes, inContainers, message] of rows) {
    test(what, () => {
      const usage = { volumes: new Map(Object.entries(inVolumes)), containers: new Map(Object.entries(inContainers)) };
      assert.equal(exceededStorage(object, usage), message);
    });
  }

  test('a pod without limits is not even measured; what is too deep to measure exceeds every limit', async () => {
    assert.equal(hasStorageLimit(pod('p', { volumes: [{ name: 'v', emptyDir: {} }] })), false);
    const paths = { dataDir: '/d', logDir: '/l', runDir: '/r' };
    const subject = { uid: 'u', namespace: 'default', name: 'p', pod: pod('p', { volumes }) };
    const asked: string[] = [];
    const treeUsage = async (places: string[]) => {
      asked.push(...places);
      return new Float64Array(places.length * 2).fill(Number.POSITIVE_INFINITY);
    };
    assert.match((await storageExcess(subject, { paths, treeUsage })) ?? '', /EmptyDir volume "v"/);
    assert.deepEqual(asked, ['/d/pods/u/volumes/v', '/d/pods/u/containers/web', '/l/default_p_u/web']);
    const free = { ...subject, pod: pod('p') };
    assert.equal(await storageExcess(free, { paths, treeUsage: () => Promise.reject(new Error('asked')) }), undefined);
  });

  test('a pod that cannot be measured does not shield the others, and is told of', async () => {
    const evicted: string[] = [];
    const worker = (uid: string) => ({
      pod: { record: { uid, namespace: 'default', name: uid, pod: pod(uid, { volumes }) } },
      evict: (of: string) => evicted.push(of),
    });
    const parts = { paths: { dataDir: '/d', logDir: '/l', runDir: '/r' } } as Parts;
    const relief = new Relief(parts, () => ['first', 'broken', 'last'].map(worker) as unknown as PodWorker[]);
    const treeUsage = (places: string[]) =>
      places[0]?.includes('broken')
        ? Promise.reject(new Error('EIO'))
        : Promise.resolve(new Float64Array(places.length * 2).fill(2 * MIB));
    await assert.rejects(relief.checkStorage(treeUsage), /EIO/);
    assert.deepEqual(evicted, ['first', 'last']);
  });
});
