/** From a pod's record to the sandbox it needs. */
import { podNamespaces } from '../../manifest/oci/namespaces.ts';
import { publishedPorts } from '../admission/host-ports.ts';
import { sandboxLabels } from '../adoption/labels.ts';
import type { SandboxSpec } from '../ports.ts';
import type { Incarnation } from '../worker/incarnation.ts';
import { hostnameOf } from './hostname.ts';

/** Address and users must have been leased: the specification says which. */
export const sandboxSpec = ({ record, parts }: Incarnation, attempt: number): SandboxSpec => {
  const { spec } = record.pod;
  const { sysctls = [] } = spec.securityContext ?? {};
  return {
    uid: record.uid,
    namespace: record.namespace,
    name: record.name,
    attempt,
    hostname: hostnameOf(record.pod, parts.node.name),
    namespaces: podNamespaces(record.pod),
    ...(!spec.hostNetwork && record.ip !== undefined && { ip: record.ip }),
    ...(!spec.hostUsers && { firstUser: firstUser(record.uid, parts) }),
    resources: parts.podResources(record.pod),
    sysctls: Object.fromEntries(sysctls.map(({ name, value }) => [name.replaceAll('/', '.'), value])),
    hostPorts: publishedPorts(record.pod),
    labels: sandboxLabels(record),
  };
};

/** The same range every time for one uid. */
const firstUser = (uid: string, { leases }: Incarnation['parts']): number => {
  if (leases.users === undefined) throw new Error('hostUsers: false: this node gives out no user ids');
  return leases.users.lease(uid);
};
