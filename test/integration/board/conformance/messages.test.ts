/** What people really publish: several objects, other kinds, numbers as text. Answered as an API server would, or run. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { demoImage } from '../../../images/demo-images.ts';
import { Board } from '../board.ts';
import { phase, shellPod } from '../pods.ts';
import { printed } from './wave.ts';

let board: Board;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
});
after(async () => assert.deepEqual(await board.close(), []));

/** A pod that prints a word and ends; `spec` over its spec. */
const pod = (name: string, spec: object = {}, container: object = {}) =>
  shellPod(name, [{ sh: 'echo ran', ...container }], { restartPolicy: 'Never', ...spec });
const json = (name: string, spec?: object, container?: object) => JSON.stringify(pod(name, spec, container));
const yaml = (name: string) => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  restartPolicy: Never
  containers:
  - {name: c0, image: debian, command: [echo, ran]}
`;
const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } };
const list = (...items: object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', metadata: {}, items });
const template = (spec: object = {}) => ({ metadata: { labels: { app: 'x' } }, spec: { ...pod('x').spec, ...spec } });
const workload = (kind: string, name: string, spec: object) =>
  JSON.stringify({ apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1', kind, metadata: { name }, spec });

/** Read back from a cluster, whose controllers and admission added to it. */
function asOfCluster(name: string): string {
  const token = { name: 'kube-api-access-x7k2p', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
  const sources = [
    { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
  ];
  const { metadata, ...exported } = pod(
    name,
    {
      nodeName: 'node-1',
      serviceAccountName: 'default',
      tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' }],
      volumes: [{ name: token.name, projected: { defaultMode: 420, sources } }],
    },
    { sh: `test -e ${token.mountPath} || echo ran`, volumeMounts: [token] },
  );
  const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'u', controller: true }];
  const kept = {
    uid: 'b7e4',
    resourceVersion: '9',
    generateName: 'a-',
    ownerReferences,
    managedFields: [{ manager: 'm' }],
  };
  return JSON.stringify({ ...exported, metadata: { ...metadata, ...kept }, status: { phase: 'Running' } });
}

/** By name: what is published, and what is said of it; undefined where the pod runs. */
const MESSAGES: Record<string, [payload: (name: string) => string, answer?: RegExp]> = {
  'a-list-of-one': [(name) => list(pod(name))],
  'a-pod-list': [(name) => list(pod(name)).replace('"List"', '"PodList"')],
  'yaml-with-comments': [(name) => `# a comment\n---\n${yaml(name)}\n---\n# and nothing\n`],
  'yaml-of-windows': [(name) => `\ufeff${yaml(name).replaceAll('\n', '\r\n')}`],
  'as-kubectl-prints-it': [
    (name) =>
      json(name)
        .replace('"spec"', '"status":{"phase":"Pending"},"spec"')
        .replace('{"name":', '{"creationTimestamp":null,"name":'),
  ],
  'as-a-cluster-has-it': [asOfCluster],
  'a-job': [(name) => workload('Job', name, { template: template(), backoffLimit: 3 })],
  'amounts-as-numbers': [(name) => json(name, {}, { resources: { requests: { cpu: 0.1, memory: 1048576 } } })],
  'what-has-no-value': [
    (name) => json(name, { nodeSelector: null, affinity: {}, tolerations: [] }, { env: null, ports: [] }),
  ],

  'two-documents': [
    (name) => `${yaml(name)}\n---\n${yaml('other')}`,
    /^: the message has 2 objects; a topic names one$/,
  ],
  'a-list-of-kinds': [(name) => list(pod(name), configMap), /^: the message has 2 objects; a topic names one$/],
  'an-empty-list': [() => list(), /^: Required value: the manifest is empty$/],
  'a-bare-array': [(name) => `[${json(name)}]`, /^: Invalid value: must be a Pod object/],
  'another-kind': [() => JSON.stringify(configMap), /^kind: Unsupported value: "ConfigMap"/],
  'a-deployment-of-none': [
    (name) => workload('Deployment', name, { replicas: 0, template: template() }),
    /^spec\.replicas: /,
  ],
  'a-job-for-ever': [
    (name) => workload('Job', name, { template: template({ restartPolicy: 'Always' }) }),
    /^spec\.template\.spec\.restartPolicy: Unsupported value: "Always"/,
  ],
  'generated-name': [
    (name) => json(name).replace(/"name":"generated-name"/, '"generateName":"generated-"'),
    /^metadata\.name: Required value: generateName/,
  ],
  'port-as-text': [
    (name) => json(name, {}, { ports: [{ containerPort: '80' }] }),
    /^spec\.containers\[0\]\.ports\[0\]\.containerPort: Invalid value: got a string/,
  ],
  'value-as-number': [
    (name) => yaml(name).replace('command:', 'env: [{name: A, value: 1}], command:'),
    /^spec\.containers\[0\]\.env\[0\]\.value: Invalid value: got a number, expected a string \(in YAML/,
  ],
  'flag-as-text': [(name) => json(name, { hostNetwork: 'true' }), /^spec\.hostNetwork: Invalid value: got a string/],
  'a-typing-error': [
    (name) => json(name, { restartpolicy: 'Never' }),
    /^spec\.restartpolicy: unknown field: did you mean "restartPolicy"/,
  ],
  'one-key-twice': [
    (name) => json(name).replace('"restartPolicy":"Never"', '"restartPolicy":"Never","restartPolicy":"Always"'),
    /^spec\.restartPolicy: duplicate key \(line 1, column \d+\)$/,
  ],
  'something-after-it': [(name) => `${json(name)} x`, /^: unexpected text after the value/],
  'half-of-it': [(name) => json(name).slice(0, -9), /\(line 1, column \d+\)$/],
  'tabs-in-yaml': [(name) => yaml(name).replace('  restartPolicy', '\trestartPolicy'), /^: not valid YAML/],
  'another-namespace': [
    (name) => json(name).replace('"name":"another-namespace"', '"name":"another-namespace","namespace":"elsewhere"'),
    /^metadata\.namespace: .*elsewhere/,
  ],
};

for (const kills of [0, 1])
  test(`every message has its answer${kills > 0 ? ', also from an agent that was killed' : ''}`, async (t) => {
    const all = Object.entries(MESSAGES);
    await Promise.all(all.map(([name, [payload]]) => board.desire(name, payload(name))));
    if (kills > 0) {
      await board.stopAgent('SIGKILL');
      await board.startAgent();
    }
    for (const [name, [, answer]] of all)
      await t.test(name, async () => {
        if (answer === undefined) {
          const done = await board.pod(name, phase('Succeeded'), 60_000);
          assert.equal(printed(board, done), 'ran\n');
          assert.equal(done.status?.errors, undefined);
          return;
        }
        const { status } = await board.pod(name, (p) => (p.status?.errors?.length ?? 0) > 0, 60_000);
        const said = status?.errors?.map(({ path, reason }) => `${path}: ${reason}`) ?? [];
        assert.match(said.join('\n'), answer);
        assert.deepEqual([status?.phase, status?.containerStatuses.length], ['Failed', 0], 'nothing has started');
      });
    await Promise.all(all.map(([name]) => board.desire(name, '')));
    await board.until('all to be forgotten', () => all.every(([name]) => board.status(name) === undefined), 60_000);
  });

test('a pod among the ConfigMaps is refused by an event', async () => {
  const topic = board.topic('desired/configmaps/default/misplaced');
  await board.client.publishAsync(topic, json('misplaced'), { qos: 1, retain: true });
  const refused = () =>
    board.messages.some(
      (message) =>
        message.topic === board.topic('events') &&
        /InvalidObject.*kind: Unsupported value: \\"Pod\\"/.test(String(message.payload)),
    );
  await board.until('the event', refused, 60_000);
  await board.client.publishAsync(topic, '', { qos: 1, retain: true });
});

test('what is published without being retained counts, until it is cleared', async () => {
  const topic = board.topic('desired/pods/default/live');
  await board.client.publishAsync(topic, json('live'), { qos: 1, retain: false });
  await board.pod('live', phase('Succeeded'), 60_000);
  await board.client.publishAsync(topic, '', { qos: 1, retain: true });
  await board.until('it to be gone', () => board.status('live') === undefined, 60_000);
});
