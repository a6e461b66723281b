/** emptyDir. */
import assert from 'node:assert/strict';
import type { Case } from '../wave.ts';
import { at, v } from './volume.ts';

const ROOT = {};
const USER = { securityContext: { runAsUser: 1001, runAsGroup: 1001 } };

export const EMPTY_DIRS: Case[] = [
  ...(['', 'Memory'] as const).flatMap((medium) =>
    ([ROOT, USER] as const).map(
      (who): Case => ({
        rule: `emptyDir ${medium || 'on disk'} as ${who === ROOT ? 'root' : 'a user'}: 0777, and files of any mode`,
        containers: [
          {
            sh: [
              'stat -c %a /v',
              'for m in 644 666 777; do echo in > /v/$m; chmod $m /v/$m; stat -c "%a %u" /v/$m; done',
              'cat /v/644 /v/666 /v/777',
              'stat -f -c %T /v | grep -c tmpfs',
              'true',
            ].join('; '),
            volumeMounts: [at('/v')],
          },
        ],
        spec: { ...v({ emptyDir: { medium } }), ...who },
        prints: `${medium ? 1777 : 777}\n${[644, 666, 777].map((mode) => `${mode} ${who === ROOT ? 0 : 1001}\n`).join('')}in\nin\nin\n${medium ? 1 : 0}\n`,
      }),
    ),
  ),
  {
    rule: 'a sizeLimit is the size of an emptyDir in memory',
    containers: [{ sh: 'df -B 1M --output=size /v | tail -1 | tr -d " "', volumeMounts: [at('/v')] }],
    spec: v({ emptyDir: { medium: 'Memory', sizeLimit: '10Mi' } }),
    prints: '10\n',
  },
  {
    rule: 'fsGroup owns it, and what is made in it',
    containers: [{ sh: 'stat -c "%a %g" /v; touch /v/f; stat -c %g /v/f; id -G', volumeMounts: [at('/v')] }],
    spec: { ...v({ emptyDir: {} }), securityContext: { runAsUser: 1001, runAsGroup: 1002, fsGroup: 123 } },
    prints: /^2777 123\n123\n(1002 123|123 1002)\n$/,
  },
  {
    rule: 'a subPath that is not there is made as its volume is, the sticky bit of memory and fsGroup’s setgid too',
    containers: [{ sh: 'stat -c "%a %u %g" /v', volumeMounts: [at('/v', { subPath: 'sub' })] }],
    spec: { ...v({ emptyDir: { medium: 'Memory' } }), securityContext: { runAsUser: 1001, fsGroup: 123 } },
    prints: '3777 0 123\n',
  },
  {
    rule: 'containers share it',
    containers: [
      { sh: 'for i in $(seq 300); do test -e /a/it && break; sleep 0.1; done; cat /a/it', volumeMounts: [at('/a')] },
      { sh: 'echo hello > /b/.it; mv /b/.it /b/it', volumeMounts: [at('/b')] },
    ],
    spec: v({ emptyDir: {} }),
    prints: 'hello\n',
  },
  {
    rule: 'what one container mounts read-only another may write',
    containers: [
      { sh: 'touch /v/x || echo refused', volumeMounts: [at('/v', { readOnly: true })] },
      { sh: 'touch /v/y', volumeMounts: [at('/v')] },
    ],
    spec: v({ emptyDir: {} }),
    prints: /refused\n/,
    check: (pod) => assert.equal(pod.status?.phase, 'Succeeded'),
  },
];
