/** What containers find in their volumes: modes, owners, contents, and parts of them. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { demoImage } from '../../../images/demo-images.ts';
import { Board } from '../board.ts';
import { because, running, SLEEP } from '../pods.ts';
import { type Case, statusOf, wave } from './wave.ts';

const host = mkdtempSync('/var/tmp/edgepod-volumes-');
let board: Board;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
  mkdirSync(join(host, 'dir/below'), { recursive: true });
  writeFileSync(join(host, 'dir/file'), 'on the board\n');
  chmodSync(join(host, 'dir'), 0o711);
  symlinkSync('/etc', join(host, 'dir/out'));
  const data = { 'data-1': 'value-1', 'data-2': 'value-2' };
  await object('configmaps', 'cm', { data, binaryData: { 'dump.bin': Buffer.from([0, 255, 254]).toString('base64') } });
  await object('secrets', 'se', { stringData: data });
  await object('secrets', 'se', { stringData: { 'data-1': 'of another namespace' } }, 'other');
});
after(async () => {
  assert.deepEqual(await board.close(), []);
  rmSync(host, { recursive: true });
});

async function object(
  kind: 'configmaps' | 'secrets',
  name: string,
  more: object,
  namespace = 'default',
): Promise<void> {
  const body = {
    apiVersion: 'v1',
    kind: kind === 'secrets' ? 'Secret' : 'ConfigMap',
    metadata: { name, namespace },
    ...more,
  };
  const topic = board.topic(`desired/${kind}/${namespace}/${name}`);
  await board.client.publishAsync(topic, JSON.stringify(body), { qos: 1, retain: true });
}

const v = (source: object) => ({ volumes: [{ name: 'v', ...source }] });
const at = (mountPath: string, more: object = {}) => ({ name: 'v', mountPath, ...more });
const hostDir = { hostPath: { path: join(host, 'dir'), type: 'Directory' } };
const ROOT = {};
const USER = { securityContext: { runAsUser: 1001, runAsGroup: 1001 } };

const EMPTY_DIRS: Case[] = [
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
        prints: `777\n${[644, 666, 777].map((mode) => `${mode} ${who === ROOT ? 0 : 1001}\n`).join('')}in\nin\nin\n${medium ? 1 : 0}\n`,
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

const HOST_PATHS: Case[] = [
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
];

const SUB_PATHS: Case[] = [
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
        sh: 'touch /sub/x || touch /v/a/y && ls /sub',
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

const DATA: Case[] = (['configMap', 'secret'] as const).flatMap((kind): Case[] => {
  const named = kind === 'secret' ? { secretName: 'se' } : { name: 'cm' };
  const source = (more: object = {}) => v({ [kind]: { ...named, ...more } });
  const item = { key: 'data-2', path: 'path/to/data-2' };
  return [
    {
      rule: `${kind}: every key is a file`,
      containers: [{ sh: 'cat /v/data-1; stat -L -c " %a %u" /v/data-1', volumeMounts: [at('/v')] }],
      spec: source(),
      prints: 'value-1 644 0\n',
    },
    {
      rule: `${kind}: defaultMode`,
      containers: [{ sh: 'stat -L -c %a /v/data-1', volumeMounts: [at('/v')] }],
      spec: source({ defaultMode: 0o400 }),
      prints: '400\n',
    },
    {
      rule: `${kind}: as a user, whose fsGroup may read`,
      containers: [{ sh: 'cat /v/data-1; stat -L -c " %a %g" /v/data-1', volumeMounts: [at('/v')] }],
      spec: { ...source({ defaultMode: 0o440 }), securityContext: { runAsUser: 1000, fsGroup: 1001 } },
      prints: 'value-1 440 1001\n',
    },
    {
      rule: `${kind}: items, each with its path and mode`,
      containers: [
        {
          sh: 'ls /v; cat /v/path/to/data-2; stat -L -c " %a" /v/path/to/data-2',
          volumeMounts: [at('/v')],
        },
      ],
      spec: source({ items: [{ ...item, mode: 0o400 }] }),
      prints: 'path\nvalue-2 400\n',
    },
    {
      rule: `${kind}: in two volumes of one pod`,
      containers: [{ sh: 'cat /v/data-1 /w/data-1', volumeMounts: [at('/v'), { name: 'w', mountPath: '/w' }] }],
      spec: {
        volumes: [
          { name: 'v', [kind]: named },
          { name: 'w', [kind]: named },
        ],
      },
      prints: 'value-1value-1',
    },
    {
      rule: `${kind}: optional, and not there: an empty directory`,
      containers: [{ sh: 'ls -d /v; ls /v', volumeMounts: [at('/v')] }],
      spec: v({ [kind]: { ...(kind === 'secret' ? { secretName: 'none' } : { name: 'none' }), optional: true } }),
      prints: '/v\n',
    },
    {
      rule: `${kind}: a key that is not there holds the pod back`,
      containers: [{ sh: 'true', volumeMounts: [at('/v')] }],
      spec: source({ items: [{ key: 'none', path: 'none' }] }),
      until: because('ContainerCreating'),
    },
    {
      rule: `${kind}: a key that is not there and need not be`,
      containers: [{ sh: 'ls /v; echo ran', volumeMounts: [at('/v')] }],
      spec: source({ items: [{ key: 'none', path: 'none' }], optional: true }),
      prints: 'ran\n',
    },
  ];
});

const TOLD: Case[] = [
  {
    rule: 'bytes are bytes',
    containers: [{ sh: 'od -An -tx1 /v/dump.bin', volumeMounts: [at('/v')] }],
    spec: v({ configMap: { name: 'cm' } }),
    prints: ' 00 ff fe\n',
  },
  {
    rule: 'the pod’s name, labels and annotations',
    containers: [{ sh: 'cat /v/name; echo; cat /v/labels; echo; cat /v/annotations', volumeMounts: [at('/v')] }],
    metadata: { labels: { b: '2', a: '1' }, annotations: { note: 'two\nlines' } },
    spec: v({
      downwardAPI: {
        items: ['name', 'labels', 'annotations'].map((path) => ({ path, fieldRef: { fieldPath: `metadata.${path}` } })),
      },
    }),
    prints: '{pod}\na="1"\nb="2"\nnote="two\\nlines"',
  },
  {
    rule: 'its limits, the node’s where it has none, and modes',
    containers: [
      {
        sh: 'cat /v/cpu; echo; test $(cat /v/memory) -gt 1000000 && stat -L -c %a /v/cpu /v/memory',
        volumeMounts: [at('/v')],
        resources: { limits: { cpu: '1250m' } },
      },
    ],
    spec: v({
      downwardAPI: {
        defaultMode: 0o440,
        items: ['cpu', 'memory'].map((path) => ({
          path,
          resourceFieldRef: { containerName: 'c0', resource: `limits.${path}` },
          ...(path === 'cpu' && { mode: 0o400 }),
        })),
      },
    }),
    prints: '2\n400\n440\n',
  },
  {
    rule: 'everything in one volume',
    containers: [{ sh: 'cat /all/podname /all/secret/data-1 /all/config/data-2', volumeMounts: [at('/all')] }],
    spec: v({
      projected: {
        sources: [
          { secret: { name: 'se', items: [{ key: 'data-1', path: 'secret/data-1' }] } },
          { configMap: { name: 'cm', items: [{ key: 'data-2', path: 'config/data-2' }] } },
          { downwardAPI: { items: [{ path: 'podname', fieldRef: { fieldPath: 'metadata.name' } }] } },
        ],
      },
    }),
    prints: '{pod}value-1value-2',
  },
];

const CASES = [...EMPTY_DIRS, ...HOST_PATHS, ...SUB_PATHS, ...DATA, ...TOLD];

wave('calm', () => board, CASES);
wave('killed', () => board, CASES, { kills: 3 });
