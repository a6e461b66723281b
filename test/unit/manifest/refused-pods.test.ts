/** A manifest that is no pod, metadata that are wrong, fields nobody knows: refused, each at its path. */
import { type Json, rawPod } from './fixtures.ts';
import { refusals } from './refusals.ts';

const meta = (metadata: unknown) => ({ ...rawPod(), metadata });
const c = 'spec.containers[0]';
const security = (fields: Json) => rawPod({}, { securityContext: fields });

refusals([
  ['no object', 'text', /^: Invalid value: must be a Pod object/],
  ['no kind', { ...rawPod(), kind: undefined }, 'kind: Required value: must be "Pod"'],
  [
    'another kind',
    { ...rawPod(), kind: 'Deployment' },
    'kind: Unsupported value: "Deployment": supported values: "Pod"',
  ],
  ['another version', { ...rawPod(), apiVersion: 'v2' }, 'apiVersion: Unsupported value: "v2": supported values: "v1"'],
  ['no spec', { ...rawPod(), spec: null }, 'spec: Required value'],
  ['no metadata', meta(undefined), 'metadata: Required value'],
  ['no name', meta({}), 'metadata.name: Required value'],
  ['a name that is a path', meta({ name: '../x' }), /^metadata\.name: Invalid value: "\.\.\/x": must be lower-case/],
  [
    'a name too long for a log directory',
    meta({ name: 'a'.repeat(211) }),
    /^metadata\.name: .* together with its namespace/,
  ],
  ['a namespace that is none', meta({ name: 'p', namespace: 'a.b' }), /^metadata\.namespace: Invalid value: "a\.b"/],
  ['a label that is none', meta({ name: 'p', labels: { a: '-' } }), /^metadata\.labels\.a: Invalid value: "-"/],
  [
    'a label key that is none',
    meta({ name: 'p', labels: { 'a/b/c': '' } }),
    /^metadata\.labels: Invalid value: "a\/b\/c"/,
  ],
  [
    'a label that is no string',
    meta({ name: 'p', labels: { 'x/a': 1 } }),
    /^metadata\.labels\[x\/a\]: Invalid value: got a number/,
  ],
  ['a generation that is none', meta({ name: 'p', generation: 1.5 }), /^metadata\.generation: Invalid value: 1\.5/],
  [
    'a time that is none',
    meta({ name: 'p', creationTimestamp: 'now' }),
    /^metadata\.creationTimestamp: Invalid value: "now"/,
  ],

  ['an unknown field', rawPod({ foo: 1 }), 'spec.foo: unknown field'],
  [
    'a typing error',
    rawPod({ restartpolicy: 'Never' }),
    'spec.restartpolicy: unknown field: did you mean "restartPolicy"?',
  ],
  ['a typing error inside', rawPod({}, { comand: ['x'] }), `${c}.comand: unknown field: did you mean "command"?`],
  [
    '__proto__',
    JSON.parse(
      '{"apiVersion":"v1","kind":"Pod","__proto__":{"a":1},"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}',
    ),
    '__proto__: unknown field',
  ],
  ['constructor', rawPod({ constructor: {} }), 'spec.constructor: unknown field'],
  ['a key with a control character', rawPod({ 'a\u001b[': 1 }), 'spec["a\\u001b["]: unknown field'],
  [
    'own DNS',
    rawPod({ dnsPolicy: 'None' }),
    'spec.dnsConfig: Required value: with at least one nameserver when dnsPolicy is None',
  ],
  [
    'an empty probe',
    rawPod({}, { livenessProbe: {} }),
    `${c}.livenessProbe: Required value: must specify one of: exec, httpGet, tcpSocket, grpc`,
  ],
  [
    'a value from elsewhere',
    rawPod({}, { env: [{ name: 'A', valueFrom: {} }] }),
    `${c}.env[0].valueFrom: Required value: must specify one of: fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef`,
  ],
  [
    'a seccomp profile without its file',
    security({ seccompProfile: { type: 'Localhost' } }),
    /seccompProfile\.localhostProfile: Required value/,
  ],
]);
