import type { Container, VolumeMount } from '../../../src/manifest/types/container.ts';
import type { Pod, PodSpec } from '../../../src/manifest/types/pod.ts';
import type { DesiredPod } from '../../../src/pods/types.ts';

export const container = (name: string, fields: Partial<Container> = {}): Container => ({
  name,
  image: 'debian',
  imagePullPolicy: 'IfNotPresent',
  env: [],
  envFrom: [],
  ports: [],
  resources: {},
  resizePolicy: [],
  restartPolicyRules: [],
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  volumeMounts: [],
  ...fields,
});

/** Fields of a spec with two containers. */
export const two = { containers: [container('web'), container('side')] };

export const pod = (name: string, spec: Partial<PodSpec> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: {
    containers: [container('web')],
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    volumes: [],
    initContainers: [],
    hostNetwork: false,
    hostPID: false,
    hostIPC: false,
    hostUsers: true,
    setHostnameAsFQDN: false,
    hostAliases: [],
    dnsPolicy: 'ClusterFirst',
    priority: 0,
    readinessGates: [],
    shareProcessNamespace: false,
    ...spec,
  },
});

/** A desired pod whose digests follow its contents. */
export const desired = (object: Pod, fields: Partial<DesiredPod> = {}): DesiredPod => ({
  namespace: object.metadata.namespace,
  name: object.metadata.name,
  pod: object,
  specDigest: JSON.stringify(object.spec),
  manifestDigest: JSON.stringify(object),
  ...fields,
});

/** As the broker's part stores one: it has no spec. */
export const tombstone = (name: string, graceSeconds?: number): DesiredPod => ({
  namespace: 'default',
  name,
  pod: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      ...(graceSeconds !== undefined && { deletionGracePeriodSeconds: graceSeconds }),
    },
  } as unknown as Pod,
  specDigest: '',
  manifestDigest: `deleted:${graceSeconds}`,
  deletionTimestamp: '2026-01-01T00:00:00Z',
});

export const mount = (name: string, mountPath: string, fields: Partial<VolumeMount> = {}): VolumeMount => ({
  name,
  mountPath,
  readOnly: false,
  recursiveReadOnly: 'Disabled',
  mountPropagation: 'None',
  ...fields,
});
