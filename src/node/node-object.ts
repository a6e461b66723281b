/** The Node-like object published on `D/node`: what this board has, can do and suffers from. */
import type { NodeCondition } from './conditions.ts';
import type { BoardFacts, DiskFigures } from './facts.ts';

export interface NodeInput {
  device: string;
  groups: readonly string[];
  agentVersion: string;
  facts: BoardFacts;
  disk: DiskFigures;
  /** Undefined while the board has no network. */
  hostIp: string | undefined;
  allocatable: { cpuMilli: number; memoryBytes: number; storageBytes: number; pods: number };
  conditions: NodeCondition[];
  /** Names of the Pod fields that are honoured, and the agent's limits on manifests. */
  supported: { podFields: readonly string[]; manifestBytes: number };
}

/** Builds the object; same input, same bytes, so that an unchanged node is not published again. */
export function nodeObject(input: NodeInput): object {
  const { facts, disk, allocatable } = input;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: input.device,
      labels: {
        'kubernetes.io/arch': facts.architecture,
        'kubernetes.io/hostname': input.device,
        'kubernetes.io/os': 'linux',
        ...Object.fromEntries(input.groups.map((group) => [`groups.edgepod.io/${group}`, 'true'])),
      },
    },
    status: {
      capacity: {
        cpu: String(facts.cpuCount),
        memory: kibibytes(facts.memoryBytes),
        'ephemeral-storage': kibibytes(disk.capacityBytes),
        pods: String(allocatable.pods),
      },
      allocatable: {
        cpu: `${allocatable.cpuMilli}m`,
        memory: kibibytes(allocatable.memoryBytes),
        'ephemeral-storage': kibibytes(allocatable.storageBytes),
        pods: String(allocatable.pods),
      },
      conditions: input.conditions,
      addresses: [
        ...(input.hostIp === undefined ? [] : [{ type: 'InternalIP', address: input.hostIp }]),
        { type: 'Hostname', address: input.device },
      ],
      nodeInfo: {
        machineID: facts.machineId,
        bootID: facts.bootId,
        kernelVersion: facts.kernelVersion,
        osImage: facts.osImage,
        architecture: facts.architecture,
        operatingSystem: 'linux',
        containerRuntimeVersion: `edgepod://${input.agentVersion}`,
        kubeletVersion: `edgepod/${input.agentVersion}`,
      },
    },
    edgepod: {
      version: input.agentVersion,
      board: { model: facts.model, cpu: facts.cpuModel, disks: facts.disks },
      supported: input.supported,
    },
  };
}

const kibibytes = (bytes: number) => `${Math.floor(bytes / 1024)}Ki`;
