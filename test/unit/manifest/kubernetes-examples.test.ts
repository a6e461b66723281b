/**
 * Manifests of the shapes the Kubernetes documentation shows (test/fixtures/manifests/kubernetes): each runs here as it
 * is, or is answered with the field and the reason. What is not listed below is accepted without a word.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, test } from 'node:test';
import { admitConfigMap, admitSecret } from '../../../src/manifest/admit-data.ts';
import { admitWorkload } from '../../../src/manifest/kinds.ts';
import { parseManifestSync } from '../../../src/manifest/parse.ts';
import type { FieldError } from '../../../src/manifest/types/field-error.ts';

const FILES = globSync(new URL('../../fixtures/manifests/kubernetes/*.yaml', import.meta.url).pathname).sort();

const SCHEDULING = 'ignored: the device is chosen by the topic the manifest is published to';
const NETWORK = 'not supported: network and plug-in storage is not available; mount it on the device and use hostPath';
const NO_CLAIM = 'not supported: there is no storage to claim from; use hostPath';

/** `path: reason` of each refusal. */
const REFUSED: Readonly<Record<string, string[]>> = {
  'pod-level-pids': ['spec.resources.limits.pids: not supported: resource "pids" is not known; only cpu, memory are'],
  extended: ['limits', 'requests'].map(
    (list) =>
      `spec.containers[0].resources.${list}[example.com/dongle]: not supported: resource "example.com/dongle" is not known; only cpu, memory, ephemeral-storage are`,
  ),
  'huge-pages': [
    'spec.containers[0].resources.limits.hugepages-2Mi: not supported: huge pages are not handed out; only cpu, memory, ephemeral-storage are',
  ],
  claims: [
    'spec.resourceClaims: not supported: not in this version',
    'spec.containers[0].resources.claims: not supported: not in this version',
  ],
  sandboxed: ['spec.runtimeClassName: not supported: there is one runtime'],
  gated: ['spec.schedulingGates: not supported: a gate would never be lifted: there is no scheduler'],
  'nameless-': ['metadata.name: Required value: generateName makes no name here: the topic has it'],
  windows: [
    'spec.os: not supported: only Linux is available',
    'spec.securityContext.windowsOptions: not supported: only Linux is available',
  ],
  'empty-dir-mode': ['spec.volumes[0].emptyDir.mode: unknown field'],
  'account-token': [
    'spec.volumes[0].projected.sources[0].serviceAccountToken: not supported: there is no API server for the pod to talk to',
  ],
  'trust-bundle': [
    'spec.volumes[0].projected.sources[0].clusterTrustBundle: not supported: there is no API server to have it from',
  ],
  claimed: [`spec.volumes[0].persistentVolumeClaim: ${NO_CLAIM}`],
  'block-device': [
    `spec.volumes[0].persistentVolumeClaim: ${NO_CLAIM}`,
    'spec.containers[0].volumeDevices: not supported: block devices are not handed out',
  ],
  'network-storage': [
    `spec.volumes[0].nfs: ${NETWORK}`,
    `spec.volumes[1].csi: ${NETWORK}`,
    `spec.volumes[2].ephemeral: ${NETWORK}`,
    'spec.volumes[3].awsElasticBlockStore: not supported: legacy storage is not available',
  ],
  web: ['kind: not supported: "StatefulSet": use a Pod with a hostPath volume'],
  nginx: [
    'kind: not supported: "Service": use hostPort to reach a pod; containers of one pod reach each other at localhost',
  ],
  hello: ['kind: not supported: "CronJob": nothing runs by a schedule here; publish a Job when it is to run'],
  frontend: ['kind: not supported: "ReplicaSet": use a Deployment, or a Pod'],
  'task-pv-claim': ['kind: not supported: "PersistentVolumeClaim": use a hostPath volume'],
};

/** `path: reason` of each warning. */
const WARNED: Readonly<Record<string, string[]>> = {
  selinux: ['spec.containers[0].securityContext.seLinuxOptions: ignored: SELinux labels are not set'],
  affinity: [
    ...['affinity', 'tolerations', 'topologySpreadConstraints', 'nodeName', 'schedulerName'].map(
      (name) => `spec.${name}: ${SCHEDULING}`,
    ),
    'spec.priorityClassName: ignored: a device knows no class high-priority: give spec.priority as well',
  ],
  'apparmor-annotation': [
    'metadata.annotations[container.apparmor.security.beta.kubernetes.io/hello]: ignored: use securityContext.appArmorProfile',
    'metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: ignored: use securityContext.seccompProfile',
  ],
  'exported-6d4cf56db6-abcde': [
    'metadata.ownerReferences: ignored: nothing owns a pod on a device',
    ...['nodeName', 'tolerations'].map((name) => `spec.${name}: ${SCHEDULING}`),
    'spec.volumes[0]: ignored: an API server added it; there is none here for the pod to talk to',
  ],
  'exported-deployment': ['spec.strategy: ignored: a device runs one pod of it, and replaces it'],
  baseline: ["spec.imagePullSecrets: ignored: the agent's own registry credentials are used"],
  'host-path': [`spec.nodeSelector: ${SCHEDULING}`],
  'nginx-deployment': ['spec.replicas: ignored: a device runs one of it, not 3'],
  fluentd: [
    'spec.updateStrategy: ignored: a device runs one pod of it, and replaces it',
    `spec.template.spec.tolerations: ${SCHEDULING}`,
  ],
  terminal: ['spec.containers[0].tty: ignored: a container has no terminal; what it prints goes to its log'],
  myjob: ['spec.backoffLimit: ignored: a device runs one pod of it, and replaces it'],
};

interface Example {
  kind: string;
  metadata: { name?: string; generateName?: string };
}

function admit(object: Example): { errors: FieldError[] } | { warnings: FieldError[] } {
  if (object.kind === 'ConfigMap') return admitConfigMap(object);
  return object.kind === 'Secret' ? admitSecret(object) : admitWorkload(object);
}

const lines = (found: FieldError[]) => found.map(({ path, reason }) => `${path}: ${reason}`);
const seen = new Set<string>();

for (const file of FILES)
  describe(basename(file), () => {
    const parsed = parseManifestSync(readFileSync(file));
    assert.ok('objects' in parsed, JSON.stringify(parsed));
    for (const object of parsed.objects as Example[]) {
      const name = object.metadata.name ?? object.metadata.generateName ?? '';
      assert.ok(!seen.has(name), `two examples are called ${name}`);
      seen.add(name);
      test(name, () => {
        const result = admit(object);
        assert.deepEqual('errors' in result ? lines(result.errors) : [], REFUSED[name] ?? []);
        assert.deepEqual('warnings' in result ? lines(result.warnings) : [], WARNED[name] ?? []);
      });
    }
  });

test('every expectation is of an example there is', () => {
  const expected = [...Object.keys(REFUSED), ...Object.keys(WARNED)];
  assert.deepEqual(
    expected.filter((name) => !seen.has(name)),
    [],
  );
});
