/** The parts of the agent, each given what it needs of the others. */
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { Hardware } from '../images/hardware.ts';
import { ImageStore } from '../images/image-store.ts';
import { Unpacker } from '../images/unpacker.ts';
import { diskFigures } from '../node/facts.ts';
import type { Allocatable } from '../pods/admission/admission.ts';
import type { Relief } from '../pods/eviction/relief.ts';
import type { PodManager } from '../pods/manager.ts';
import { readFeatures } from '../runtime/features.ts';
import type { Addon } from '../runtime/native.ts';
import type { PodNetwork } from '../runtime/network/pod-network.ts';
import { createRuntime, type ShimRuntime } from '../runtime/runtime.ts';
import { StatsReader } from '../runtime/stats.ts';
import type { Store } from '../store/store.ts';
import { allocatable } from './board/allocatable.ts';
import { readBoardFacts } from './board/board-facts.ts';
import { hostIp } from './board/host-ip.ts';
import { MetricsLoop } from './board/metrics.ts';
import { NodeReport } from './board/node-report.ts';
import { arrived } from './broker/arrival.ts';
import { type BrokerParts, buildBroker } from './broker/broker.ts';
import { registerCalls } from './calls/calls.ts';
import type { Foundation } from './foundation.ts';
import { podManager } from './pods/manager.ts';
import { openNetwork } from './pods/network.ts';
import { Housekeeping } from './upkeep/housekeeping.ts';
import { ImageGarbage } from './upkeep/image-garbage.ts';
import { NodePressure } from './upkeep/node-pressure.ts';

export interface Parts {
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

/** Nothing runs yet. What one part asks another for it asks while it runs, so that they may be made in any order. */
export async function buildParts(base: Foundation): Promise<Parts> {
  const { config, native, names, facts, store, topics, recent, told, log } = base;
  const { addon } = native;
  const onFault = () => node.publish();
  const network = await openNetwork({ addon, names, configured: config.network, meta: store.meta, log, onFault });
  const runtime = await createRuntime({ native, runDir: config.runDir, cgroupRoot: names.cgroupRoot, network, log });
  const images = imageStore(base);
  const room = podRoom(base);
  const stats = new StatsReader(addon);
  const relief = () => manager.relief;
  const garbage = imageGarbage(base, { images, relief });
  const pressure = nodePressure(base, { stats, relief, garbage, onChange: () => node.publish() });
  const pressures = () => pressure.conditions;
  const manager: PodManager = podManager(base, { network, runtime, images, stats, allocatable: room, pressures });
  const context = { manager, store, topics, told, log };
  const broker = buildBroker({
    config,
    topics,
    store,
    bootId: facts.bootId,
    onIntake: (result) => arrived(result, context),
    log,
  });
  for (const { namespace, name, errors } of store.objects.rejections('pods')) manager.rejected(namespace, name, errors);
  const metrics = metricsLoop(base, { manager, session: broker.session, network });
  const { remoteExec } = config;
  registerCalls(broker.rpc, { manager, recent, metrics: () => metrics.measure(), remoteExec, log });
  const node: NodeReport = await nodeReport(base, { network, allocatable: room, pressures });
  const housekeeping = new Housekeeping({ relief: relief(), pressure, garbage, store, addon, log });
  const stopWatching = images.onChange(() => manager.imagesChanged());
  return { addon, store, network, runtime, manager, broker, metrics, node, housekeeping, stopWatching };
}

function imageStore({ config, native, facts, store }: Foundation): ImageStore {
  return new ImageStore({
    dir: join(config.dataDir, 'images'),
    repo: store.images,
    unpacker: new Unpacker(native.unpack),
    hardware: new Hardware(facts.architecture, () => native.addon.runsArm32()),
  });
}

/** What pods may take of this board, and set on it. */
function podRoom({ config, facts }: Foundation): () => Allocatable {
  const { blocks, bsize } = statfsSync(config.dataDir);
  const capacity = { ...facts, storageBytes: blocks * bsize };
  return () => ({ ...allocatable(capacity, config.resources), sysctls: config.allowedUnsafeSysctls });
}

function imageGarbage(
  { config, clock, log }: Foundation,
  { images, relief }: { images: ImageStore; relief: () => Relief },
): ImageGarbage {
  return new ImageGarbage({
    images,
    needed: () => relief().neededImages(),
    diskUsed: () => {
      const { availableBytes, capacityBytes } = diskFigures(config.dataDir);
      return 1 - availableBytes / capacityBytes;
    },
    limits: config.images,
    monotonicMs: clock.monotonicMs,
    log,
  });
}

function nodePressure(
  { config, native, clock, told, log }: Foundation,
  parts: { stats: StatsReader; relief: () => Relief; garbage: ImageGarbage; onChange: () => void },
): NodePressure {
  const { stats, relief, garbage, onChange } = parts;
  return new NodePressure({
    stats,
    disk: () => diskFigures(config.dataDir),
    treeUsage: (trees) => native.addon.treeUsage(trees),
    floors: config.eviction,
    relief,
    removeUnusedImages: () => garbage.removeAll(),
    onChange,
    tell: told.recordNodeEvent,
    monotonicMs: clock.monotonicMs,
    log,
  });
}

function metricsLoop(
  { config, native, topics, now, log }: Foundation,
  { manager, session, network }: Pick<Parts, 'manager' | 'network'> & Pick<BrokerParts, 'session'>,
): MetricsLoop {
  return new MetricsLoop({
    addon: native.addon,
    manager,
    session,
    topics,
    dataDir: config.dataDir,
    bridge: network.bridge,
    link: (uid) => network.link(uid),
    intervalSeconds: config.metrics.intervalSeconds,
    now,
    log,
  });
}

async function nodeReport(
  { config, native, topics, store, facts, clock, log }: Foundation,
  {
    network,
    ...node
  }: { network: PodNetwork; allocatable: () => Allocatable; pressures: () => NodePressure['conditions'] },
): Promise<NodeReport> {
  return new NodeReport({
    ...node,
    topics,
    outbox: store.outbox,
    facts,
    findFacts: readBoardFacts,
    features: await readFeatures(native.addon),
    dataDir: config.dataDir,
    hostIp: () => hostIp(network.bridge),
    networkFault: () => network.fault,
    clock,
    log,
  });
}
