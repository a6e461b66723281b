/** What programs are started with and told. */
import assert from 'node:assert/strict';
import { because } from '../../pods.ts';
import { type Case, printed } from '../wave.ts';
import { fromImage } from './from-image.ts';

const env = (entries: Record<string, string>) => Object.entries(entries).map(([name, value]) => ({ name, value }));
const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
const resource = (name: string, wanted: string, divisor?: string) => ({
  name,
  valueFrom: { resourceFieldRef: { resource: wanted, ...(divisor && { divisor }) } },
});

const ofFile = (name: string) => ({
  name,
  valueFrom: { fileKeyRef: { volumeName: 'work', path: 'd/env', key: name, optional: name === 'C' } },
});

const WORK = { name: 'work', emptyDir: {} };
const mounts = (subPathExpr: string) => [
  { name: 'work', mountPath: '/sub', subPathExpr },
  { name: 'work', mountPath: '/whole' },
];

export const VARIABLES: Case[] = [
  {
    rule: 'variables are made of earlier ones',
    containers: [{ sh: 'echo $FOOBAR', env: env({ FOO: 'foo-value', BAR: 'bar-value', FOOBAR: '$(FOO);;$(BAR)' }) }],
    prints: 'foo-value;;bar-value\n',
  },
  {
    rule: 'a command is expanded before any shell sees it',
    containers: [{ sh: 'TEST=wrong; echo "$(TEST)"', env: env({ TEST: 'test-value' }) }],
    prints: 'test-value\n',
  },
  {
    rule: 'so are args',
    containers: [
      { command: ['/bin/sh', '-c'], args: ['TEST=wrong; echo "$(TEST)"'], env: env({ TEST: 'test-value' }) },
    ],
    prints: 'test-value\n',
  },
  {
    rule: 'what is not defined stays, what is escaped is unescaped',
    containers: [{ command: ['/bin/echo', '$(NOT) $$(NOT) $(LATE'], env: env({ NO: '$(LATER)', LATER: 'x' }) }],
    prints: '$(NOT) $(NOT) $(LATE\n',
  },
  { rule: 'the program of the image', containers: fromImage({}), prints: 'cmd\ncmd\n' },
  { rule: 'args replace its cmd', containers: fromImage({ args: ['mine'] }), prints: 'mine\nmine\n' },
  { rule: 'command replaces both', containers: fromImage({ command: ['/bin/print', '1'] }), prints: 'line\n' },
  {
    rule: 'command and args replace all',
    containers: fromImage({ command: ['/bin/print', '1'], args: ['other'] }),
    prints: 'other\n',
  },
  {
    rule: 'a pod is told its name, namespace, addresses and node',
    containers: [
      {
        sh: 'echo $NAME $NS; test "$IP" = "$(hostname -I | tr -d " ")" && echo ip; test -n "$NODE" && echo node; echo ${#UID_}; echo "host $HOST"',
        env: [
          field('NAME', 'metadata.name'),
          field('NS', 'metadata.namespace'),
          field('IP', 'status.podIP'),
          field('HOST', 'status.hostIP'),
          field('NODE', 'spec.nodeName'),
          field('UID_', 'metadata.uid'),
        ],
      },
    ],
    prints: /^\S+ default\nip\nnode\n36\nhost/,
    // A board that is in no network has no address of its own.
    check: (pod, { dataDir }) =>
      assert.match(printed({ dataDir }, pod), new RegExp(`host ${pod.status?.hostIP ?? ''}\n`)),
  },
  {
    rule: 'in the network of the node its address is the pod’s',
    containers: [
      { sh: 'test "$IP" = "$HOST" && echo same', env: [field('IP', 'status.podIP'), field('HOST', 'status.hostIP')] },
    ],
    spec: { hostNetwork: true },
    prints: 'same\n',
  },
  {
    rule: 'limits and requests, in units of the divisor',
    containers: [
      {
        sh: 'echo $CPU $MEM $REQ $MI',
        resources: { limits: { cpu: '1250m', memory: '64Mi' }, requests: { cpu: '250m', memory: '32Mi' } },
        env: [
          resource('CPU', 'limits.cpu'),
          resource('MEM', 'limits.memory'),
          resource('REQ', 'requests.cpu', '1m'),
          resource('MI', 'requests.memory', '1Mi'),
        ],
      },
    ],
    prints: '2 67108864 250 32\n',
  },
  {
    rule: 'where there is no limit, what the node can give',
    containers: [
      {
        sh: 'test "$CPU" -ge 1 && test "$MEM" -gt 1000000 && echo all; echo $REQ',
        env: [resource('CPU', 'limits.cpu'), resource('MEM', 'limits.memory'), resource('REQ', 'requests.memory')],
      },
    ],
    prints: 'all\n0\n',
  },
  {
    rule: 'a variable of a file an init container wrote',
    containers: [{ sh: 'echo "$A $B ${C-none}"', env: ['A', 'B', 'C'].map(ofFile) }],
    spec: {
      volumes: [WORK],
      initContainers: [
        {
          name: 'i',
          image: 'debian',
          command: ['/bin/sh', '-c', 'mkdir /work/d; printf "A=one\\nB=\\047two words\\047\\n" > /work/d/env'],
          volumeMounts: [{ name: 'work', mountPath: '/work' }],
        },
      ],
    },
    prints: 'one two words none\n',
  },
  {
    rule: 'subPathExpr makes a directory of the volume',
    containers: [
      {
        sh: 'touch /sub/f; ls /whole/{pod}x 2>&1; ls /whole/*',
        env: [field('POD', 'metadata.name')],
        volumeMounts: mounts('$(POD)'),
      },
    ],
    spec: { volumes: [WORK] },
    prints: /\nf\n$/,
  },
  ...['..', '/tmp', 'a/../..'].map(
    (value): Case => ({
      rule: `subPathExpr that becomes ${value} is CreateContainerConfigError`,
      containers: [{ sh: 'true', env: env({ WAY: value }), volumeMounts: mounts('$(WAY)') }],
      spec: { volumes: [WORK] },
      until: because('CreateContainerConfigError'),
    }),
  ),
];
