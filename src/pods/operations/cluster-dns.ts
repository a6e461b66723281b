/** What a pod is told that asks for the name server of a cluster, which a board has not. Pure. */
import type { PodRecord } from '../types.ts';

/** Undefined where the policy, as it counts for the pod, is another. */
export const missingClusterDns = ({ pod }: Pick<PodRecord, 'pod'>): string | undefined => {
  const { dnsPolicy, hostNetwork } = pod.spec;
  // In the node's network ClusterFirst means Default, as everywhere.
  const wantsCluster = dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && !hostNetwork);
  if (!wantsCluster) return undefined;
  return `there is no cluster DNS on a board: dnsPolicy ${dnsPolicy} is Default here, the name servers are the board's own`;
};
