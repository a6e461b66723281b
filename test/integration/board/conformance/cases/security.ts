/** Who a container is, what it may do, and what it shares. */
import assert from 'node:assert/strict';
import { because } from '../../pods.ts';
import { type Case, statusOf } from '../wave.ts';
import { fromImage } from './from-image.ts';

export const SECURITY: Case[] = [
  { rule: 'runAsUser', containers: [{ sh: 'id -u', securityContext: { runAsUser: 65534 } }], prints: '65534\n' },
  { rule: 'runAsUser 0', containers: [{ sh: 'id -u', securityContext: { runAsUser: 0 } }], prints: '0\n' },
  {
    rule: 'runAsNonRoot with a number',
    containers: [{ sh: 'id -u', securityContext: { runAsNonRoot: true, runAsUser: 1234 } }],
    prints: '1234\n',
  },
  {
    rule: 'runAsNonRoot with the user of the image',
    containers: fromImage({ securityContext: { runAsNonRoot: true }, args: ['ran'] }),
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
    rule: 'a container may have any name, the infra process’s too',
    containers: [
      { sh: 'true', name: 'infra' },
      { sh: 'true', name: 'pause' },
    ],
    check: (pod) => assert.equal(pod.status?.phase, 'Succeeded'),
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
