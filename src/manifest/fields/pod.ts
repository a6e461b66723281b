/** The Pod itself, and what belongs to it as a whole. */
import { type FieldTable, ignored, many, quiet, refused, yes } from './field.ts';

const SCHEDULING = 'the device is chosen by the topic the manifest is published to';
const NO_API = 'there is no API server for the pod to talk to';
const SERVER = "an API server's bookkeeping";

export const Pod: FieldTable = {
  apiVersion: yes('must be `v1`'),
  kind: yes('must be `Pod`; a `List` is taken apart, the template of a Deployment, DaemonSet or Job is taken out'),
  metadata: yes(),
  spec: yes(),
  status: quiet('the device reports its own'),
};

export const ObjectMeta: FieldTable = {
  name: yes('a DNS subdomain; must be the last part of the topic'),
  namespace: yes('a DNS label, `default` when absent; must be the part of the topic before the name'),
  labels: yes('a change does not restart the pod'),
  annotations: yes('a change does not restart the pod; at most 256 KiB together'),
  generation: yes('when present, must grow with every change'),
  creationTimestamp: yes(),
  deletionTimestamp: yes('asks for the pod to be deleted; a manifest that has it needs no `spec`'),
  deletionGracePeriodSeconds: yes('with deletionTimestamp: replaces the grace period of the spec'),
  uid: quiet('the device gives the pod its own'),
  generateName: quiet('a name must be given'),
  ownerReferences: ignored('nothing owns a pod on a device'),
  finalizers: ignored('deletion waits for the pod alone'),
  ...many('resourceVersion selfLink managedFields', quiet(SERVER)),
};

export const PodSpec: FieldTable = {
  containers: yes('1 to 32'),
  initContainers: yes('one after the other before the containers; a sidecar has `restartPolicy: Always`'),
  ephemeralContainers: yes('added to a pod that runs; never started with it, restarted, changed or taken away'),
  volumes: yes(),
  restartPolicy: yes('`Always` (default), `OnFailure`, `Never`'),
  terminationGracePeriodSeconds: yes('30 by default'),
  activeDeadlineSeconds: yes('from 1'),
  ...many('hostNetwork hostPID hostIPC', yes()),
  shareProcessNamespace: yes('not with `hostPID`'),
  hostUsers: yes('`true` by default; `false` not with `hostNetwork`, `hostPID`, `hostIPC`'),
  hostname: yes('a DNS label; the pod name, cut to 63 characters, when absent'),
  subdomain: yes('a DNS label'),
  setHostnameAsFQDN: yes(),
  hostnameOverride: yes('a DNS subdomain of at most 64 characters; not with `hostNetwork`, `setHostnameAsFQDN`'),
  hostAliases: yes('lines of `/etc/hosts`'),
  dnsPolicy: yes('`ClusterFirst` (default) and `ClusterFirstWithHostNet` are `Default` here: there is no cluster'),
  dnsConfig: yes('with `dnsPolicy: None`, at least one nameserver'),
  priority: yes('who is ended first when the board runs short: the lower; none from 2000000000 on'),
  priorityClassName: yes('`system-cluster-critical`, `system-node-critical`; of any other name only `priority` counts'),
  readinessGates: yes('nothing on a board sets such conditions: the pod is not Ready while it has one'),
  resources: yes('of `cpu` and `memory`; replace the sums of the containers; change in place'),
  overhead: yes('added to what the pod asks for'),
  securityContext: yes('defaults for every container'),
  os: refused('only Linux is available', { name: 'linux' }),
  resourceClaims: refused(),
  runtimeClassName: refused('there is one runtime'),
  ...many('schedulingGates schedulingGroup', refused('a gate would never be lifted: there is no scheduler')),
  ...many('nodeSelector nodeName affinity tolerations topologySpreadConstraints', ignored(SCHEDULING)),
  schedulerName: ignored(SCHEDULING, 'default-scheduler'),
  preemptionPolicy: ignored('no pod is stopped to make room for another', 'PreemptLowerPriority', 'Never'),
  ...many('serviceAccountName serviceAccount', ignored(NO_API, 'default')),
  automountServiceAccountToken: ignored(NO_API, false),
  enableServiceLinks: ignored('there are no Services', true, false),
  imagePullSecrets: ignored("the agent's own registry credentials are used"),
};

export const HostAlias: FieldTable = {
  ip: yes('IPv4 or IPv6'),
  hostnames: yes('DNS subdomains'),
};

export const PodDNSConfig: FieldTable = {
  nameservers: yes('at most 3 addresses'),
  searches: yes('at most 32 domains, 2048 characters together'),
  options: yes(),
};

export const PodDNSConfigOption: FieldTable = {
  name: yes(),
  value: yes(),
};

export const PodReadinessGate: FieldTable = {
  conditionType: yes(),
};
