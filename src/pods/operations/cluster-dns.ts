/** What a pod is told that asks for the name server of a cluster, which a board has not. Pure. */
import type { PodRecord } from '../types.ts';

/** The kubelet's words; undefined where the policy, as it counts for the pod, is another. */
export const missingClusterDns = ({
  namespace,
  name,
  uid,
  pod,
}: Pick<PodRecord, 'namespace' | 'name' | 'uid' | 'pod'>): string | undefined => {
  const { dnsPolicy, hostNetwork } = pod.spec;
  // In the node's network ClusterFirst means Default, as everywhere.
  const wantsCluster = dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && !hostNetwork);
  if (!wantsCluster) return undefined;
  return (
    `pod: "${name}_${namespace}(${uid})". kubelet does not have ClusterDNS IP configured and cannot create Pod ` +
    'using "ClusterFirst" policy. Falling back to "Default" policy.'
  );
};
