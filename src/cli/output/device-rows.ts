/** A device as one line of `get devices`. */
import type { Device } from '../../client/fleet.ts';

interface NodeShape {
  status?: {
    capacity?: Record<string, string>;
    conditions?: { type: string; status: string; lastTransitionTime?: string }[];
    nodeInfo?: Record<string, string>;
    addresses?: { type: string; address: string }[];
  };
  edgepod?: { board?: { model?: string } };
}

export function deviceHeadings(wide: boolean): string[] {
  return [
    'NAME',
    'STATUS',
    'ARCH',
    'VERSION',
    ...(wide ? ['INTERNAL-IP', 'OS-IMAGE', 'KERNEL', 'CPU', 'MEMORY', 'MODEL'] : []),
  ];
}

export function deviceRow(device: Device, wide: boolean): string[] {
  const node = (device.node ?? {}) as NodeShape;
  const info = node.status?.nodeInfo ?? {};
  const address = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '';
  return [
    device.name,
    deviceStatusWord(device),
    info.architecture ?? '',
    device.presence?.agentVersion ?? '',
    ...(wide
      ? [
          address,
          info.osImage ?? '',
          info.kernelVersion ?? '',
          node.status?.capacity?.cpu ?? '',
          node.status?.capacity?.memory ?? '',
          node.edgepod?.board?.model ?? '',
        ]
      : []),
  ];
}

/** `Ready`, plus any pressure; `Offline` after an orderly stop, `Lost` when only the broker noticed. */
export function deviceStatusWord({ presence, node }: Device): string {
  if (!presence) return 'Unknown';
  if (presence.state === 'offline') return 'Offline';
  if (presence.state !== 'online') return 'Lost';
  const conditions = (node as NodeShape | undefined)?.status?.conditions ?? [];
  const pressures = conditions.filter(({ type, status }) => type.endsWith('Pressure') && status === 'True');
  return ['Ready', ...pressures.map(({ type }) => type)].join(',');
}
