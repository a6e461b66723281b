/** The reconciler, given this board: each of its ports is a part of the agent. */
import { hostname } from 'node:os';
import type { ImageStore } from '../../images/image-store.ts';
import { containerResources, podResources } from '../../manifest/resources.ts';
import type { SeccompArch } from '../../manifest/seccomp.ts';
import type { Allocatable } from '../../pods/admission/admission.ts';
import type { PodManagerDeps } from '../../pods/deps.ts';
import { PodManager } from '../../pods/manager.ts';
import { quantities } from '../../pods/operations/variables.ts';
import { volumeHost } from '../../pods/volumes/volume-host.ts';
import type { PodNetwork } from '../../runtime/network/pod-network.ts';
import { NativeProber } from '../../runtime/prober/prober.ts';
import { reapStrays } from '../../runtime/reap.ts';
import type { ShimRuntime } from '../../runtime/runtime.ts';
import type { StatsReader } from '../../runtime/stats.ts';
import { hostIp } from '../board/host-ip.ts';
import { listeningPorts } from '../board/listening-ports.ts';
import { buryTombstones } from '../broker/tombstones.ts';
import type { Foundation } from '../foundation.ts';
import { hasAppArmor } from './apparmor.ts';
import { containerConfigs } from './container-config.ts';
import { StoredDesired } from './desired.ts';
import { identityFiles } from './identity.ts';
import { objectSource } from './object-source.ts';
import { ipLeases, podRecords } from './records.ts';
import { userRanges } from './user-ranges.ts';
import { volumeSystem } from './volume-system.ts';

/** What the reconciler works with on this board. */
export interface BoardParts {
  network: PodNetwork;
  runtime: ShimRuntime;
  images: ImageStore;
  stats: StatsReader;
  allocatable: () => Allocatable;
  /** What the node is under. */
  pressures: () => readonly string[];
}

/** Nothing runs yet. */
export function podManager(base: Foundation, board: BoardParts): PodManager {
  const { config, native, names, clock, facts, store, topics, told, log } = base;
  const { dataDir, runDir, logDir, resources, userNamespaces } = config;
  const { addon } = native;
  const { network, runtime, images, stats } = board;
  const users = userRanges(store.leases, userNamespaces.firstId);
  return new PodManager({
    runtime,
    images,
    leases: ipLeases(store.leases, network.subnet.cidr, users),
    prober: new NativeProber(addon),
    clock,
    records: podRecords(store.pods),
    desired: new StoredDesired(store.objects, ({ namespace, name }, errors) =>
      log.error({ namespace, name, errors }, 'a stored manifest is not valid for this version of edgepod'),
    ),
    ...volumes(base, board),
    oci: containerConfigs(facts.architecture as SeccompArch, config),
    identityFiles,
    podResources: (pod) => podResources(pod, { pidsLimit: resources.podPidsLimit }),
    containerResources,
    workingSet: (cgroup) => stats.readGroups([cgroup]).groups[0]?.memory.workingSet,
    ...told,
    clearDesired: ({ namespace, name }) => buryTombstones({ store, topics }, 'pods', namespace, name),
    atomically: (run) => store.transaction(run),
    onAttached: async (living) => {
      await reapStrays({ addon, runDir, cgroupRoot: names.cgroupRoot, network }, [...living]);
    },
    node: node(base, board),
    paths: { dataDir, runDir, logDir },
    cgroupRoot: names.cgroupRoot,
    logLimits: config.containerLog,
    log,
  });
}

/** Volumes, and the ConfigMaps and Secrets that fill some of them. */
function volumes(
  { config: { dataDir, runDir, logDir }, native, store, now }: Foundation,
  { network, images, allocatable }: BoardParts,
): Pick<PodManagerDeps, 'volumes' | 'objects'> {
  const objects = objectSource(store);
  const made = volumeHost({
    paths: { dataDir, runDir, logDir },
    allocatableMemory: () => allocatable().memoryBytes,
    system: volumeSystem(native.addon),
    objects,
    images,
    nodeFacts: () => ({
      nodeName: hostname(),
      hostIP: hostIp(network.bridge),
      allocatable: quantities(allocatable()),
    }),
    now,
  });
  return { volumes: made, objects };
}

function node({ facts }: Foundation, { network, allocatable, pressures }: BoardParts): PodManagerDeps['node'] {
  return {
    name: hostname(),
    hostIP: () => hostIp(network.bridge),
    bootId: facts.bootId,
    allocatable,
    listening: listeningPorts,
    pressures,
    appArmor: hasAppArmor,
  };
}
