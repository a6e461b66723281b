/** A manager on a bench: fakes around it, and the words tests use to speak of it. */

import type { ConfigMap } from '../../../src/manifest/types/objects.ts';
import type { ContainerStatus } from '../../../src/manifest/types/status.ts';
import type { PodManagerDeps } from '../../../src/pods/deps.ts';
import { PodManager } from '../../../src/pods/manager.ts';
import type { Image, ImageFailure } from '../../../src/pods/ports.ts';
import type { DesiredPod, PodEvent, PodRecord, PublishedPod } from '../../../src/pods/types.ts';
import { FakeProber } from './fake-prober.ts';
import { FakeRuntime, type FakeSandbox } from './fake-runtime.ts';
import { FakeTime, settle } from './fake-time.ts';

const image = (ref: string): Image => ({
  id: `sha256:${ref}`,
  ref,
  os: 'linux',
  architecture: 'arm64',
  config: { env: [], entrypoint: [], cmd: ['/run'], workingDir: '/', user: '', stopSignal: 'SIGQUIT' },
  lowerDirs: ['/layer'],
});

export class Bench {
  readonly time = new FakeTime();
  readonly prober = new FakeProber();
  readonly runtime = new FakeRuntime(this.time);
  /** uid → record as JSON, as it would be on the disk. */
  readonly disk = new Map<string, string>();
  readonly wanted = new Map<string, DesiredPod>();
  readonly published: PublishedPod[] = [];
  readonly cleared: string[] = [];
  readonly tombstonesDone: string[] = [];
  readonly events: PodEvent[] = [];
  readonly leases = new Map<string, string>();
  readonly volumes = new Set<string>();
  readonly imageFailures = new Map<string, ImageFailure>();
  readonly log: string[] = [];
  /** Control group → bytes it uses. */
  readonly memory = new Map<string, number>();
  readonly configMaps = new Map<string, ConfigMap>();
  /** Variables of every container configuration that was made, in order. */
  readonly configured: ReadonlyMap<string, string>[] = [];
  /** Container → what it wrote as its termination message. */
  readonly lastWords = new Map<string, string>();
  imageGate: Promise<void> = Promise.resolve();
  volumeFailure: Error | undefined;
  ociFailure: Error | undefined;
  writeFailure: Error | undefined;
  /** Of taking back what was told the broker. */
  clearFailure: { of: 'status' | 'tombstone'; error: Error } | undefined;
  writes = 0;
  bootId = 'boot-1';
  allocatable = { cpuMilli: 4000, memoryBytes: 1024 ** 3, storageBytes: 2 ** 30, pods: 110 };
  manager!: PodManager;
  #uids = 0;
  #process = { dead: false };

  /** A new agent process over whatever runs and is on the disk; `early` comes in while it is still looking around. */
  async boot(early: (manager: PodManager) => void = () => {}): Promise<void> {
    this.manager = new PodManager(this.#deps());
    early(this.manager);
    const started = this.manager.start();
    early(this.manager);
    await settle();
    await started;
    await settle();
  }

  async apply(object: DesiredPod): Promise<void> {
    this.wanted.set(object.name, object);
    this.manager.changed(object.namespace, object.name);
    await settle();
  }

  /** kill -9 of the agent: nothing is flushed, what it would still do is cut off. */
  crash(): void {
    this.#process.dead = true;
    for (const sandbox of this.runtime.sandboxes.values()) sandbox.detach();
    this.prober.forget();
    void this.manager.stop();
  }

  /** Whether the agent was killed and has not been started again. */
  get crashed(): boolean {
    return this.#process.dead;
  }

  /** The database file is gone when the agent starts again. */
  loseDatabase(): void {
    this.crash();
    this.disk.clear();
    this.leases.clear();
  }

  /** Power cut: nothing runs any more. */
  powerCut(): void {
    this.crash();
    this.runtime.sandboxes.clear();
    this.bootId = `boot-${Number(this.bootId.slice(5)) + 1}`;
    this.time.reboot();
  }

  status(name: string): PublishedPod['status'] {
    const found = this.manager.describe('default', name);
    if (!found) throw new Error(`no pod ${name}`);
    return found.pod.status;
  }

  container(name: string, containerName = 'web'): ContainerStatus {
    const { initContainerStatuses = [], containerStatuses } = this.status(name);
    const found = [...initContainerStatuses, ...containerStatuses].find((status) => status.name === containerName);
    if (!found) throw new Error(`no container ${containerName} in ${name}`);
    return found;
  }

  sandbox(): FakeSandbox {
    return this.runtime.only();
  }

  reasons(): string[] {
    return this.events.map(({ reason }) => reason);
  }

  #deps(): PodManagerDeps {
    const bench = this;
    const process = { dead: false };
    this.#process = process;
    // A dead process does nothing any more: not even with what it was waiting for.
    const ifAlive = <T>(run: () => T): T | undefined => (process.dead ? undefined : run());
    const orNever = async <T>(run: () => Promise<T>): Promise<T> => {
      const result = process.dead ? new Promise<T>(() => {}) : await run();
      return process.dead ? new Promise<T>(() => {}) : result;
    };
    return {
      runtime: {
        create: (spec) => orNever(() => this.runtime.create(spec)),
        async attachAll() {
          await new Promise((resolve) => setImmediate(resolve));
          return bench.runtime.attachAll();
        },
      },
      clock: this.time,
      timers: this.time,
      images: {
        async ensure(ref) {
          await orNever(() => bench.imageGate);
          const failure = bench.imageFailures.get(ref);
          if (failure) throw Object.assign(new Error(failure.message), failure);
          return image(ref);
        },
      },
      leases: {
        lease(uid) {
          const held = bench.leases.get(uid);
          const taken = new Set(bench.leases.values());
          let host = 2;
          while (taken.has(`10.88.0.${host}`)) host += 1;
          const ip = held ?? `10.88.0.${host}`;
          bench.leases.set(uid, ip);
          return ip;
        },
        release: (uid) => void ifAlive(() => bench.leases.delete(uid)),
        claim: (uid, ip) => void bench.leases.set(uid, ip),
        keepOnly(uids) {
          for (const uid of bench.leases.keys()) if (!uids.has(uid)) bench.leases.delete(uid);
        },
      },
      records: {
        get: (uid) => JSON.parse(bench.disk.get(uid) ?? 'null') ?? undefined,
        list: () => [...bench.disk.values()].map((text) => JSON.parse(text) as PodRecord),
        put(record) {
          if (bench.writeFailure) throw bench.writeFailure;
          ifAlive(() => {
            bench.writes += 1;
            bench.disk.set(record.uid, JSON.stringify(record));
          });
        },
        delete: (uid) => void ifAlive(() => bench.disk.delete(uid)),
      },
      desired: {
        list: () => [...bench.wanted.values()],
        get: (_namespace, name) => bench.wanted.get(name),
      },
      objects: { configMap: (_namespace, name) => this.configMaps.get(name), secret: () => undefined },
      volumes: {
        refresh: async () => {},
        async prepare(uid, object) {
          if (bench.volumeFailure) throw bench.volumeFailure;
          bench.volumes.add(uid);
          return Object.fromEntries(object.spec.volumes.map(({ name }) => [name, `/volumes/${name}`]));
        },
        mounts: async () => [],
        remove: (uid) => orNever(async () => void bench.volumes.delete(uid)),
        async sweep(known) {
          for (const uid of bench.volumes) if (!known.has(uid)) bench.volumes.delete(uid);
        },
      },
      files: {
        writeIdentity: async () => {},
        async prepareAttempt() {
          return { upper: '/upper', work: '/work' };
        },
        wasTried: ({ uid }, name, attempt) => bench.runtime.started.includes(`${uid}/${name}/${attempt}`),
        dropOldAttempts: async () => {},
        lastWords: (_record, name) => ({
          message: () => Buffer.from(bench.lastWords.get(name) ?? ''),
          log: () => Buffer.alloc(0),
        }),
        removeData: async () => {},
        removeLogs: async () => {},
      },
      oci({ variables }) {
        if (bench.ociFailure) throw bench.ociFailure;
        bench.configured.push(variables);
        return { process: { args: ['/run'] } };
      },
      identityFiles: () => ({ hosts: '', hostname: '', resolvConf: '' }),
      podResources: () => ({}),
      workingSet: (cgroup) => this.memory.get(cgroup),
      containerResources: ({ resources }) => ({ memory: { limit: Number(resources.limits?.memory ?? 0) } }),
      prober: this.prober,
      publishStatus: (published) => void ifAlive(() => bench.published.push(published)),
      clearStatus(_namespace, name) {
        if (process.dead) return;
        if (bench.clearFailure?.of === 'status') throw bench.clearFailure.error;
        bench.cleared.push(name);
      },
      clearDesired(done) {
        if (process.dead) return;
        if (bench.clearFailure?.of === 'tombstone') throw bench.clearFailure.error;
        bench.tombstonesDone.push(done.name);
        if (bench.wanted.get(done.name)?.deletionTimestamp !== undefined) bench.wanted.delete(done.name);
      },
      recordEvent: (event) => void ifAlive(() => bench.events.push(event)),
      node: {
        name: 'board-7',
        hostIP: () => '192.0.2.7',
        bootId: this.bootId,
        allocatable: () => this.allocatable,
      },
      paths: { dataDir: '/data', logDir: '/logs', runDir: '/run' },
      cgroupRoot: 'edgepod',
      atomically(run) {
        const before = [...bench.leases];
        try {
          return run();
        } catch (error) {
          bench.leases.clear();
          for (const [uid, ip] of before) bench.leases.set(uid, ip);
          throw error;
        }
      },
      log: {
        info: () => {},
        warn: (_fields, message) => void bench.log.push(message),
        error: (_fields, message) => void bench.log.push(message),
      },
      newUid: () => {
        this.#uids += 1;
        return `uid-${this.#uids}`;
      },
    };
  }
}

/** A bench with a manager that has started on an empty node. */
export const bench = async (): Promise<Bench> => {
  const made = new Bench();
  await made.boot();
  return made;
};
