/** The agent put together: opens what it needs, wires the parts, starts and stops them in order. */
import { mkdirSync, statfsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { IntakeResult } from '../broker/inbox.ts';
import { Topics } from '../broker/topics.ts';
import { Hardware } from '../images/hardware.ts';
import { ImageStore } from '../images/image-store.ts';
import { Unpacker } from '../images/unpacker.ts';
import { containerResources, podResources } from '../manifest/resources.ts';
import type { SeccompArch } from '../manifest/seccomp.ts';
import { diskFigures, quickFacts } from '../node/facts.ts';
import { PodManager } from '../pods/manager.ts';
import { quantities } from '../pods/operations/variables.ts';
import { volumeHost } from '../pods/volumes/volume-host.ts';
import { readFeatures } from '../runtime/features.ts';
import { instanceNames } from '../runtime/instance.ts';
import { type Addon, loadNative } from '../runtime/native.ts';
import type { PodNetwork } from '../runtime/network/pod-network.ts';
import { NativeProber } from '../runtime/prober/prober.ts';
import { reapStrays, removeInstanceRoots } from '../runtime/reap.ts';
import { createRuntime, type ShimRuntime } from '../runtime/runtime.ts';
import { StatsReader } from '../runtime/stats.ts';
import { openStore, type Store } from '../store/store.ts';
import { allocatable } from './board/allocatable.ts';
import { readBoardFacts } from './board/board-facts.ts';
import { hostIp } from './board/host-ip.ts';
import { listeningPorts } from './board/listening-ports.ts';
import { MetricsLoop } from './board/metrics.ts';
import { NodeReport } from './board/node-report.ts';
import { type BrokerParts, buildBroker } from './broker/broker.ts';
import { dataIntake, objectSource } from './broker/data-objects.ts';
import { RecentEvents } from './broker/recent-events.ts';
import { type Reports, reports } from './broker/reports.ts';
import { buryTombstones } from './broker/tombstones.ts';
import { registerCalls } from './calls/calls.ts';
import type { AgentConfig } from './config/config.ts';
import { hasAppArmor } from './pods/apparmor.ts';
import { containerConfigs } from './pods/container-config.ts';
import { StoredDesired } from './pods/desired.ts';
import { identityFiles } from './pods/identity.ts';
import { openNetwork } from './pods/network.ts';
import { ipLeases, podRecords } from './pods/records.ts';
import { userRanges } from './pods/user-ranges.ts';
import { volumeSystem } from './pods/volume-system.ts';
import { systemClock } from './process/clock.ts';
import { lockDataDir } from './process/lock.ts';
import { Housekeeping } from './upkeep/housekeeping.ts';
import { ImageGarbage } from './upkeep/image-garbage.ts';
import { NodePressure } from './upkeep/node-pressure.ts';

interface Parts {
  addon: Addon;
  store: Store;
  network: PodNetwork;
  runtime: ShimRuntime;
  manager: PodManager;
  broker: BrokerParts;
  metrics: MetricsLoop;
  node: NodeReport;
  housekeeping: Housekeeping;
  stopWatching: () => void;
}

export class Agent {
  #config: AgentConfig;
  #log: Logger;
  #parts: Parts;

  private constructor(config: AgentConfig, log: Logger, parts: Parts) {
    this.#config = config;
    this.#log = log;
    this.#parts = parts;
  }

  /** Opens everything; nothing runs yet. @throws ConfigError, StoreError, RuntimeError with what to do */
  static async open(config: AgentConfig, log: Logger): Promise<Agent> {
    const native = loadNative();
    lockDataDir(native.addon, config.dataDir);
    mkdirSync(config.logDir, { recursive: true, mode: 0o755 });
    return new Agent(config, log, await buildParts(config, log, native));
  }

  /** Takes up what runs, then connects. Resolves when pods are looked after; the broker may still be away. */
  async start(): Promise<void> {
    const { manager, broker, metrics, node, runtime, housekeeping, network } = this.#parts;
    await manager.start();
    broker.session.start();
    node.start();
    metrics.start();
    housekeeping.start();
    void network.foresee();
    this.#log.info({ event: 'agent.ready', pods: runtime.sandboxes().length, device: this.#config.device }, 'ready');
  }

  /** Takes up what runs only to end it. Instead of `start`. */
  async drain(): Promise<void> {
    const attached = this.#parts.manager.start();
    await Promise.all([attached, this.stop({ drain: true })]);
  }

  /** How things are, in a line. */
  status(): string {
    const { manager, broker } = this.#parts;
    const pods = manager.list().length;
    return `${pods} ${pods === 1 ? 'pod' : 'pods'}; broker ${broker.session.connected ? 'connected' : 'away'}`;
  }

  /** Stops looking after pods. They keep running, unless `drain`: then they are ended and nothing of them is left. */
  async stop({ drain }: { drain: boolean }): Promise<void> {
    const { manager, broker, metrics, node, runtime, store, network, addon, housekeeping, stopWatching } = this.#parts;
    stopWatching();
    metrics.stop();
    await housekeeping.stop();
    node.stop();
    if (drain) await manager.drain();
    await manager.stop();
    await broker.session.stop();
    runtime.detachAll();
    network.stop();
    if (drain) {
      const { runDir } = this.#config;
      await network.teardown();
      await removeInstanceRoots({ addon, runDir, cgroupRoot: this.#names().cgroupRoot, network });
    }
    store.close();
  }

  #names() {
    return instanceNames(this.#config.dataDir);
  }
}

async function buildParts(config: AgentConfig, log: Logger, native: ReturnType<typeof loadNative>): Promise<Parts> {
  const { dataDir, runDir, logDir, device, prefix, groups, resources } = config;
  const { addon } = native;
  const names = instanceNames(dataDir);
  const clock = systemClock();
  const facts = quickFacts();
  const now = () => clock.now();
  const store = openStore(join(dataDir, 'edgepod.db'), { log, now });
  store.objects.keepGroups(groups);
  const topics = new Topics({ prefix, device, groups });
  const onFault = () => node.publish();
  const network = await openNetwork({ addon, names, configured: config.network, meta: store.meta, log, onFault });
  const runtime = await createRuntime({ native, runDir, cgroupRoot: names.cgroupRoot, network, log });
  const images = new ImageStore({
    dir: join(dataDir, 'images'),
    repo: store.images,
    unpacker: new Unpacker(native.unpack),
    hardware: new Hardware(facts.architecture, () => addon.runsArm32()),
  });
  const { blocks, bsize } = statfsSync(dataDir);
  const room = () => ({
    ...allocatable({ ...facts, storageBytes: blocks * bsize }, resources),
    sysctls: config.allowedUnsafeSysctls,
  });
  const objects = objectSource(store);
  const paths = { dataDir, runDir, logDir };
  const address = () => hostIp(network.bridge);
  const desired = new StoredDesired(store.objects, ({ namespace, name }, errors) =>
    log.error({ namespace, name, errors }, 'a stored manifest is not valid for this version of edgepod'),
  );
  const recent = new RecentEvents();
  const told = reports({ outbox: store.outbox, topics, bootId: facts.bootId, now, recent });
  const stats = new StatsReader(addon);
  const disk = () => diskFigures(dataDir);
  const treeUsage = (trees: string[]) => addon.treeUsage(trees);
  const garbage = new ImageGarbage({
    images,
    needed: () => manager.relief.neededImages(),
    diskUsed: () => 1 - disk().availableBytes / disk().capacityBytes,
    limits: config.images,
    monotonicMs: clock.monotonicMs,
    log,
  });
  const pressure = new NodePressure({
    stats,
    disk,
    treeUsage,
    floors: config.eviction,
    relief: () => manager.relief,
    removeUnusedImages: () => garbage.removeAll(),
    onChange: () => node.publish(),
    tell: told.recordNodeEvent,
    monotonicMs: clock.monotonicMs,
    log,
  });
  const manager: PodManager = new PodManager({
    runtime,
    images,
    leases: ipLeases(store.leases, network.subnet.cidr, userRanges(store.leases, config.userNamespaces.firstId)),
    prober: new NativeProber(addon),
    clock,
    records: podRecords(store.pods),
    desired,
    volumes: volumeHost({
      paths,
      allocatableMemory: () => room().memoryBytes,
      system: volumeSystem(addon),
      objects,
      images,
      nodeFacts: () => ({ nodeName: hostname(), hostIP: address(), allocatable: quantities(room()) }),
      now,
    }),
    objects,
    oci: containerConfigs(facts.architecture as SeccompArch, config),
    identityFiles,
    podResources: (pod) => podResources(pod, { pidsLimit: resources.podPidsLimit }),
    containerResources,
    workingSet: (cgroup) => stats.readGroups([cgroup]).groups[0]?.memory.workingSet,
    ...told,
    clearDesired: ({ namespace, name }) => buryTombstones({ store, topics }, 'pods', namespace, name),
    atomically: (run) => store.transaction(run),
    onAttached: async (living) => {
      const instance = { addon, runDir, cgroupRoot: names.cgroupRoot, network };
      await reapStrays(instance, [...living]);
    },
    node: {
      name: hostname(),
      hostIP: address,
      bootId: facts.bootId,
      allocatable: room,
      listening: listeningPorts,
      pressures: () => pressure.conditions,
      appArmor: hasAppArmor,
    },
    paths,
    cgroupRoot: names.cgroupRoot,
    logLimits: config.containerLog,
    log,
  });
  const onIntake = (result: IntakeResult) => intake(result, { manager, store, topics, told, log });
  const broker = buildBroker({ config, topics, store, bootId: facts.bootId, onIntake, log });
  for (const { namespace, name, errors } of store.objects.rejections('pods')) manager.rejected(namespace, name, errors);
  const metrics = new MetricsLoop({
    addon,
    manager,
    session: broker.session,
    topics,
    dataDir,
    bridge: network.bridge,
    link: (uid) => network.link(uid),
    intervalSeconds: config.metrics.intervalSeconds,
    now,
    log,
  });
  registerCalls(broker.rpc, {
    manager,
    recent,
    metrics: () => metrics.measure(),
    remoteExec: config.remoteExec,
    log,
  });
  const node: NodeReport = new NodeReport({
    topics,
    outbox: store.outbox,
    facts,
    findFacts: readBoardFacts,
    features: await readFeatures(addon),
    dataDir,
    hostIp: address,
    networkFault: () => network.fault,
    allocatable: room,
    pressures: () => pressure.conditions,
    clock,
    log,
  });
  const housekeeping = new Housekeeping({ relief: manager.relief, pressure, garbage, store, addon, log });
  const stopWatching = images.onChange(() => manager.imagesChanged());
  return { addon, store, network, runtime, manager, broker, metrics, node, housekeeping, stopWatching };
}

interface IntakeContext {
  manager: PodManager;
  store: Store;
  topics: Topics;
  told: Reports;
  log: Logger;
}

/** Something arrived and is durable: let the pods know. */
function intake(result: IntakeResult, { manager, store, topics, told, log }: IntakeContext): void {
  const { action, key, errors, warnings, news, topic } = result;
  if (news) log.info({ event: 'intake', action, topic, errors, warnings }, `manifest ${action}`);
  if (key === undefined) return;
  const { kind, namespace, name } = key;
  if (kind !== 'pods') {
    const changed = () => manager.objectChanged(kind, namespace, name);
    if (news) dataIntake({ ...result, key: { ...key, kind } }, { store, topics, told, changed });
    return;
  }
  if (action === 'rejected' || action === 'stale') manager.rejected(namespace, name, errors);
  else if (news) wanted(namespace, name, { manager, store, told });
}

function wanted(
  namespace: string,
  name: string,
  { manager, store, told }: Pick<IntakeContext, 'manager' | 'store' | 'told'>,
): void {
  manager.changed(namespace, name);
  if (store.objects.effectiveOne('pods', namespace, name) !== undefined) return;
  // Its topic was cleared while we listened, and nobody else wants it: the pod ends, a mere refusal is forgotten.
  if (manager.describe(namespace, name)) manager.remove(namespace, name);
  else told.clearStatus(namespace, name);
}
