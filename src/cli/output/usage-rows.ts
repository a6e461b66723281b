/** Lines of `top`, in kubectl's units: thousandths of a core, mebibytes. */
import type { NodeUsage, PodUsage, Usage } from '../../client/usage.ts';

export interface UsageColumns {
  devices: boolean;
  namespaces: boolean;
  containers: boolean;
}

export function usageHeadings({ devices, namespaces, containers }: UsageColumns): string[] {
  return [
    ...(devices ? ['DEVICE'] : []),
    ...(namespaces ? ['NAMESPACE'] : []),
    ...(containers ? ['POD', 'NAME'] : ['NAME']),
    ...['CPU(cores)', 'MEMORY(bytes)'],
  ];
}

/** One row, or one for each container. */
export function usageRows(pod: PodUsage & { device: string }, columns: UsageColumns): string[][] {
  const start = [...(columns.devices ? [pod.device] : []), ...(columns.namespaces ? [pod.namespace] : []), pod.name];
  if (!columns.containers) return [[...start, ...cells(pod)]];
  return pod.containers.map((container) => [...start, container.name, ...cells(container)]);
}

export function nodeUsageRow(name: string, { cpuMilli, cpuShare, memoryBytes, memoryShare }: NodeUsage): string[] {
  const [cpu = '', memory = ''] = cells({ cpuMilli, memoryBytes });
  return [name, cpu, percent(cpuShare), memory, percent(memoryShare)];
}

function cells({ cpuMilli, memoryBytes }: { [K in keyof Usage]: Usage[K] | undefined }): [string, string] {
  return [
    cpuMilli === undefined ? '<unknown>' : `${Math.round(cpuMilli)}m`,
    memoryBytes === undefined ? '<unknown>' : `${Math.round(memoryBytes / 2 ** 20)}Mi`,
  ];
}

const percent = (share: number | undefined) => (share === undefined ? '<unknown>' : `${Math.round(share * 100)}%`);
