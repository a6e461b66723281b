/** What programs are started with, what they are told, and what is reported of them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { after, before } from 'node:test';
import { demoImage } from '../../../images/demo-images.ts';
import { buildTinyImage } from '../../../images/tiny.ts';
import { Board } from '../board.ts';
import { because } from '../pods.ts';
import { type Case, printed, statusOf, wave } from './wave.ts';

const images = mkdtempSync('/var/tmp/edgepod-programs-');
let board: Board;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
  const config = { Entrypoint: ['/bin/print', '2'], Cmd: ['cmd'], User: '1000', WorkingDir: '/tmp' };
  await board.load(await buildTinyImage(images, { name: 'defaults', programs: ['print'], config }));
});
after(async () => {
  assert.deepEqual(await board.close(), []);
  rmSync(images, { recursive: true });
});

const env = (entries: Record<string, string>) => Object.entries(entries).map(([name, value]) => ({ name, value }));
const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
const resource = (name: string, wanted: string, divisor?: string) => ({
  name,
  valueFrom: { resourceFieldRef: { resource: wanted, ...(divisor && { divisor }) } },
});
const defaults = (words: object) => [{ image: 'defaults', imagePullPolicy: 'Never' as const, ...words }];
const message = (expected: string | undefined) => (pod: Parameters<typeof statusOf>[0]) =>
  assert.equal(statusOf(pod).state.terminated?.message, expected);

const WORK = { name: 'work', emptyDir: {} };
const mounts = (subPathExpr: string) => [
  { name: 'work', mountPath: '/sub', subPathExpr },
  { name: 'work', mountPath: '/whole' },
];

const VARIABLES: Case[] = [
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
  { rule: 'the program of the image', containers: defaults({}), prints: 'cmd\ncmd\n' },
  { rule: 'args replace its cmd', containers: defaults({ args: ['mine'] }), prints: 'mine\nmine\n' },
  { rule: 'command replaces both', containers: defaults({ command: ['/bin/print', '1'] }), prints: 'line\n' },
  {
    rule: 'command and args replace all',
    containers: defaults({ command: ['/bin/print', '1'], args: ['other'] }),
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

const MESSAGES: Case[] = [
  {
    rule: 'what is written to the default path is the message',
    containers: [{ sh: 'printf DONE > /dev/termination-log' }],
    check: message('DONE'),
  },
  {
    rule: 'a path of one’s own, for a user that is not root',
    containers: [
      {
        sh: 'printf DONE > /dev/termination-custom-log',
        terminationMessagePath: '/dev/termination-custom-log',
        securityContext: { runAsUser: 10000 },
      },
    ],
    check: message('DONE'),
  },
  {
    rule: 'of a failure, the end of the log, where so asked',
    containers: [{ sh: 'printf DONE; exit 1', terminationMessagePolicy: 'FallbackToLogsOnError' }],
    check: message('DONE'),
  },
  { rule: 'not without asking', containers: [{ sh: 'printf DONE; exit 1' }], check: message(undefined) },
  {
    rule: 'not of a success',
    containers: [{ sh: 'printf DONE', terminationMessagePolicy: 'FallbackToLogsOnError' }],
    check: message(undefined),
  },
  {
    rule: 'the file comes first',
    containers: [
      { sh: 'printf OK > /dev/termination-log; echo DONE; exit 1', terminationMessagePolicy: 'FallbackToLogsOnError' },
    ],
    check: message('OK'),
  },
  {
    rule: 'an exit code is reported as it is',
    containers: [{ sh: 'exit 42' }],
    check: (pod) => {
      assert.equal(pod.status?.phase, 'Failed');
      const { exitCode, reason, startedAt, finishedAt } = statusOf(pod).state.terminated ?? {};
      assert.deepEqual([exitCode, reason], [42, 'Error']);
      assert.ok(startedAt && finishedAt && startedAt <= finishedAt);
    },
  },
];

const IDENTITY: Case[] = [
  {
    rule: 'hostAliases are in /etc/hosts, with the pod’s own line',
    containers: [
      {
        sh: 'grep -c "^$IP.{pod}$" /etc/hosts; grep 123.45.67.89 /etc/hosts; grep managed /etc/hosts',
        env: [field('IP', 'status.podIP')],
      },
    ],
    spec: { hostAliases: [{ ip: '123.45.67.89', hostnames: ['foo', 'bar'] }] },
    prints: /123\.45\.67\.89\tfoo\tbar\n# Kubernetes-managed hosts file\.\n/,
  },
  {
    rule: 'a container that mounts its own /etc/hosts has its own',
    containers: [{ sh: 'cat /etc/hosts', volumeMounts: [{ name: 'hosts', mountPath: '/etc/hosts' }] }],
    spec: { volumes: [{ name: 'hosts', hostPath: { path: '/etc/hostname' } }] },
    prints: /^(?!# Kubernetes-managed)/,
  },
  { rule: 'hostname is the pod’s name', containers: [{ sh: 'hostname' }], prints: '{pod}\n' },
  {
    rule: 'hostname and subdomain make a name',
    containers: [{ sh: 'hostname; hostname -f' }],
    spec: { hostname: 'own', subdomain: 'sub' },
    prints: 'own\nown.sub.default.svc.cluster.local\n',
  },
  {
    rule: 'setHostnameAsFQDN makes it the name',
    containers: [{ sh: 'hostname' }],
    spec: { hostname: 'own', subdomain: 'sub', setHostnameAsFQDN: true },
    prints: 'own.sub.default.svc.cluster.local\n',
  },
  {
    rule: 'hostnameOverride is the whole name, whatever else is said',
    containers: [{ sh: 'hostname; hostname -f; cat /etc/hostname' }],
    spec: { hostname: 'own', subdomain: 'sub', hostnameOverride: 'override.example.host' },
    prints: 'override.example.host\noverride.example.host\noverride.example.host\n',
  },
  {
    rule: 'resolv.conf is made of dnsConfig alone',
    containers: [{ sh: 'cat /etc/resolv.conf' }],
    spec: {
      dnsPolicy: 'None',
      dnsConfig: {
        nameservers: ['1.1.1.1'],
        searches: ['resolv.conf.local'],
        options: [{ name: 'ndots', value: '2' }],
      },
    },
    prints: 'search resolv.conf.local\nnameserver 1.1.1.1\noptions ndots:2\n',
  },
];

const SECURITY: Case[] = [
  { rule: 'runAsUser', containers: [{ sh: 'id -u', securityContext: { runAsUser: 65534 } }], prints: '65534\n' },
  { rule: 'runAsUser 0', containers: [{ sh: 'id -u', securityContext: { runAsUser: 0 } }], prints: '0\n' },
  {
    rule: 'runAsNonRoot with a number',
    containers: [{ sh: 'id -u', securityContext: { runAsNonRoot: true, runAsUser: 1234 } }],
    prints: '1234\n',
  },
  {
    rule: 'runAsNonRoot with the user of the image',
    containers: defaults({ securityContext: { runAsNonRoot: true }, args: ['ran'] }),
    prints: 'ran\nran\n',
  },
  {
    rule: 'runAsNonRoot without anything that says who is refused before it runs',
    containers: [{ sh: 'id -u', securityContext: { runAsNonRoot: true } }],
    until: because('CreateContainerConfigError'),
    check: (pod) =>
      assert.match(statusOf(pod).state.waiting?.message ?? '', /container has runAsNonRoot and image will run as root/),
  },
  {
    rule: 'readOnlyRootFilesystem',
    containers: [{ sh: 'touch /file || echo refused', securityContext: { readOnlyRootFilesystem: true } }],
    prints: /refused\n/,
  },
  { rule: 'a root that can be written', containers: [{ sh: 'touch /file && echo written' }], prints: 'written\n' },
  ...(
    [
      [undefined, '0'],
      [true, '0'],
      [false, '1'],
    ] as const
  ).map(
    ([allowPrivilegeEscalation, flag]): Case => ({
      rule: `allowPrivilegeEscalation ${allowPrivilegeEscalation}`,
      containers: [
        {
          sh: 'grep NoNewPrivs /proc/self/status',
          securityContext: {
            runAsUser: 1000,
            ...(allowPrivilegeEscalation !== undefined && { allowPrivilegeEscalation }),
          },
        },
      ],
      prints: `NoNewPrivs:\t${flag}\n`,
    }),
  ),
  {
    rule: 'safe sysctls, with dots and with slashes',
    containers: [{ sh: 'cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/tcp_syncookies' }],
    spec: {
      securityContext: {
        sysctls: [
          { name: 'kernel/shm_rmid_forced', value: '1' },
          { name: 'net.ipv4.tcp_syncookies', value: '0' },
        ],
      },
    },
    prints: '1\n0\n',
  },
  {
    rule: 'an unsafe sysctl nobody allowed: Failed, SysctlForbidden, never started',
    containers: [{ sh: 'true' }],
    spec: { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '10000000000' }] } },
    check: (pod) => {
      assert.deepEqual([pod.status?.phase, pod.status?.reason], ['Failed', 'SysctlForbidden']);
      assert.deepEqual(pod.status?.containerStatuses, []);
    },
  },
  {
    rule: 'seccomp: as the runtime’s by default, none where so asked',
    containers: [
      { sh: 'grep Seccomp: /proc/self/status' },
      { sh: 'true', securityContext: { seccompProfile: { type: 'Unconfined' } } },
    ],
    prints: 'Seccomp:\t2\n',
  },
  {
    rule: 'all containers of a pod see one name, one address and one /dev/shm',
    containers: [
      { sh: 'for i in $(seq 300); do test -e /dev/shm/from && break; sleep 0.1; done; cat /dev/shm/from' },
      { sh: '(hostname; hostname -I) > /dev/shm/.from; mv /dev/shm/.from /dev/shm/from' },
    ],
    prints: /^\S+\n\d+\.\d+\.\d+\.\d+ \n$/,
  },
];

const CASES = [...VARIABLES, ...MESSAGES, ...IDENTITY, ...SECURITY];

wave('calm', () => board, CASES);
wave('killed', () => board, CASES, { kills: 3 });
