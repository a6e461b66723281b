import type { Pod } from '../../manifest/types.ts';

/** The kernel's limit for a host name, and DNS's for a label. */
const MAX_LENGTH = 63;

/** The pod's host name: the node's in the node's network, else `spec.hostname`, else the pod's name, cut to fit. */
export const hostnameOf = (pod: Pod, nodeName: string): string => {
  if (pod.spec.hostNetwork) return nodeName;
  return (pod.spec.hostname ?? pod.metadata.name).slice(0, MAX_LENGTH).replace(/[-.]+$/, '');
};
