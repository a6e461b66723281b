/** Why a pod was ended, in the kubelet's words. Pure. */
import type { StarvedResource } from './rank.ts';

export interface Starved {
  resource: StarvedResource;
  /** Bytes or counts. */
  threshold: number;
  available: number;
}

export interface ContainerUse {
  name: string;
  usage: number;
  request: number;
}

/** With every container that used more of it than it asked for. */
export const evictionMessage = ({ resource, threshold, available }: Starved, containers: ContainerUse[]): string => {
  const amount = resource === 'memory' || resource === 'ephemeral-storage' ? bytes : String;
  const parts = [
    `The node was low on resource: ${resource}. `,
    `Threshold quantity: ${amount(threshold)}, available: ${amount(available)}. `,
    ...containers
      .filter(({ usage, request }) => usage > request)
      .map(
        ({ name, usage, request }) =>
          `Container ${name} was using ${amount(usage)}, request is ${amount(request)}, has larger consumption of ${resource}. `,
      ),
  ];
  return parts.join('');
};

/** A quantity: whole Mi or Gi where it is exact, else Ki. */
const bytes = (value: number): string => {
  for (const [unit, size] of [
    ['Gi', 2 ** 30],
    ['Mi', 2 ** 20],
  ] as const)
    if (value >= size && value % size === 0) return `${value / size}${unit}`;
  return value < 1024 ? String(value) : `${Math.floor(value / 1024)}Ki`;
};
