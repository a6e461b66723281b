/**
 * The Kubernetes objects edgepod understands, as narrow types of our own: the names are exactly the
 * Kubernetes API's (v1, 1.36), the fields are the ones that are implemented. A unit test checks that a
 * Kubernetes Pod is assignable where we read one. Here the pod itself; what it has is in the files beside.
 */
import type { Container, EphemeralContainer, ResourceList, ResourceRequirements } from './container.ts';
import type { ObjectMeta } from './metadata.ts';
import type { PodSecurityContext } from './security.ts';
import type { PodStatus } from './status.ts';
import type { Volume } from './volumes.ts';

export interface Pod {
  apiVersion: 'v1';
  kind: 'Pod';
  metadata: ObjectMeta;
  spec: PodSpec;
  status?: PodStatus;
}

/** A validated spec with every default filled in. */
export interface PodSpec {
  /** In order; one with `restartPolicy: Always` is a sidecar. */
  initContainers: Container[];
  containers: Container[];
  /** Added while the pod runs, to look into it; each is started once and never again. Absent when there are none. */
  ephemeralContainers?: EphemeralContainer[];
  restartPolicy: 'Always' | 'OnFailure' | 'Never';
  terminationGracePeriodSeconds: number;
  activeDeadlineSeconds?: number;
  volumes: Volume[];
  hostNetwork: boolean;
  hostPID: boolean;
  hostIPC: boolean;
  /** Kubernetes' default is true: the pod's users are the node's. */
  hostUsers: boolean;
  shareProcessNamespace: boolean;
  hostname?: string;
  subdomain?: string;
  setHostnameAsFQDN: boolean;
  /** The whole host name, whatever `hostname` and `subdomain` say. */
  hostnameOverride?: string;
  hostAliases: HostAlias[];
  dnsPolicy: 'ClusterFirst' | 'ClusterFirstWithHostNet' | 'Default' | 'None';
  dnsConfig?: DnsConfig;
  /** Decides who is evicted first; higher stays longer. */
  priority: number;
  readinessGates: { conditionType: string }[];
  /** Limits of the pod as a whole; they replace the sums of the containers, resource by resource. */
  resources?: ResourceRequirements;
  /** Added to the pod's effective request. */
  overhead?: ResourceList;
  securityContext?: PodSecurityContext;
}

export interface HostAlias {
  ip: string;
  hostnames: string[];
}

export interface DnsConfig {
  nameservers: string[];
  searches: string[];
  options: { name: string; value?: string }[];
}
