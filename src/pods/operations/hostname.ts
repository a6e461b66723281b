import type { Pod } from '../../manifest/types/pod.ts';

/** DNS's limit for a label, and the kernel's for a host name. */
const MAX_LABEL = 63;
const MAX_HOSTNAME = 64;
/** Nobody serves this domain on a board; it is the name under which a manifest's author knows the pod. */
const CLUSTER_DOMAIN = 'cluster.local';

export interface PodNames {
  /** Of the UTS namespace, in /etc/hostname and `HOSTNAME`. */
  hostname: string;
  /** One label, but for a `hostnameOverride`. */
  shortName: string;
  /** Where the pod has a subdomain. */
  fqdn?: string;
}

/** `hostname.subdomain.namespace.svc.cluster.local`; undefined without a subdomain and in the node's network. */
const fqdnOf = ({ spec, metadata }: Pod, shortName: string): string | undefined =>
  spec.subdomain === undefined || spec.hostNetwork
    ? undefined
    : `${shortName}.${spec.subdomain}.${metadata.namespace}.svc.${CLUSTER_DOMAIN}`;

/**
 * The pod's names: the node's in the node's network, else `spec.hostnameOverride`, else `spec.hostname`, else the
 * pod's name, cut to fit.
 * @throws Error when `setHostnameAsFQDN` makes a name that is longer than the kernel takes
 */
export const namesOf = (pod: Pod, nodeName: string): PodNames => {
  const { spec, metadata } = pod;
  if (spec.hostNetwork) return { hostname: nodeName, shortName: nodeName };
  if (spec.hostnameOverride !== undefined) return { hostname: spec.hostnameOverride, shortName: spec.hostnameOverride };
  const shortName = (spec.hostname ?? metadata.name).slice(0, MAX_LABEL).replace(/[-.]+$/, '');
  const fqdn = fqdnOf(pod, shortName);
  if (fqdn === undefined) return { hostname: shortName, shortName };
  if (spec.setHostnameAsFQDN && fqdn.length > MAX_HOSTNAME) {
    throw new Error(
      `setHostnameAsFQDN: ${fqdn} has ${fqdn.length} characters, a host name ${MAX_HOSTNAME} at most; ` +
        'shorten hostname or subdomain',
    );
  }
  return { hostname: spec.setHostnameAsFQDN ? fqdn : shortName, shortName, fqdn };
};

export const hostnameOf = (pod: Pod, nodeName: string): string => namesOf(pod, nodeName).hostname;
