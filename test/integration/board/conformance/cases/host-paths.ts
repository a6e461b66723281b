/** hostPath, and parts of volumes. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { because, running, SLEEP } from '../../pods.ts';
import { type Case, statusOf } from '../wave.ts';
import { at, v } from './volume.ts';

/** Fills the directory of the board that the cases mount. */
export function fillHost(host: string): void {
  mkdirSync(join(host, 'dir/below'), { recursive: true });
  writeFileSync(join(host, 'dir/file'), 'on the board\n');
  chmodSync(join(host, 'dir'), 0o711);
  symlinkSync('/etc', join(host, 'dir/out'));
}

/** @param host the directory `fillHost` filled */
export function placeCases(host: string): Case[] {
  const hostDir = { hostPath: { path: join(host, 'dir'), type: 'Directory' } };

  return [
    {
      rule: 'hostPath has the mode it has',
      containers: [{ sh: 'stat -c %a /v; cat /v/file', volumeMounts: [at('/v')] }],
      spec: v(hostDir),
      prints: '711\non the board\n',
    },
    {
      rule: 'what is written there is on the board',
      containers: [
        {
          sh: 'echo $NAME > /v/$NAME',
          volumeMounts: [at('/v')],
          env: [{ name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        },
      ],
      spec: v(hostDir),
      check: ({ metadata: { name } }) => assert.equal(readFileSync(join(host, 'dir', name), 'utf8'), `${name}\n`),
    },
    {
      rule: 'subPath of it',
      containers: [{ sh: 'cat /v/file', volumeMounts: [at('/v', { subPath: 'dir' })] }],
      spec: v({ hostPath: { path: host } }),
      prints: 'on the board\n',
    },
    {
      rule: 'DirectoryOrCreate and FileOrCreate make what is not there',
      containers: [
        { sh: 'test -d /d && test -f /f && echo made', volumeMounts: [at('/d'), { name: 'w', mountPath: '/f' }] },
      ],
      spec: {
        volumes: [
          { name: 'v', hostPath: { path: join(host, 'made/dir'), type: 'DirectoryOrCreate' } },
          { name: 'w', hostPath: { path: join(host, 'made-file'), type: 'FileOrCreate' } },
        ],
      },
      prints: 'made\n',
      check: () => {
        assert.equal(statSync(join(host, 'made/dir')).mode & 0o777, 0o755);
        assert.equal(statSync(join(host, 'made-file')).mode & 0o777, 0o644);
      },
    },

    {
      rule: 'a file over a file of the image',
      containers: [{ sh: 'cat /etc/passwd', volumeMounts: [at('/etc/passwd', { subPath: 'data-1' })] }],
      spec: v({ configMap: { name: 'cm' } }),
      prints: 'value-1',
    },
    {
      rule: 'a directory that is not there is made',
      containers: [{ sh: 'touch /sub/x; ls /v/a/b', volumeMounts: [at('/sub', { subPath: 'a/b' }), at('/v')] }],
      spec: v({ emptyDir: {} }),
      prints: 'x\n',
    },
    {
      rule: 'read-only',
      containers: [
        {
          sh: 'touch /sub/x 2>&1 || touch /v/a/y && ls /sub',
          volumeMounts: [at('/sub', { subPath: 'a', readOnly: true }), at('/v')],
        },
      ],
      spec: v({ emptyDir: {} }),
      prints: /\ny\n$/,
    },
    {
      rule: 'a link that leads out of the volume is refused',
      containers: [{ sh: 'cat /sub/hostname', volumeMounts: [at('/sub', { subPath: 'out' })] }],
      spec: v(hostDir),
      until: because('CreateContainerConfigError'),
    },
    {
      rule: 'a container that is restarted finds it again',
      containers: [
        {
          sh: `echo once >> /sub/n; test $(wc -l < /sub/n) -gt 1 || exit 1; ${SLEEP}`,
          volumeMounts: [at('/sub', { subPath: 'a' })],
        },
      ],
      spec: { ...v({ emptyDir: {} }), restartPolicy: 'Always' },
      until: (pod) => running(pod) && statusOf(pod).restartCount === 1,
    },
  ];
}
