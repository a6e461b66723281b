/** Volumes of ConfigMaps, Secrets and what a pod is told of itself. */
import { because } from '../../pods.ts';
import type { Case } from '../wave.ts';
import { at, v } from './volume.ts';

export const DATA: Case[] = (['configMap', 'secret'] as const).flatMap((kind): Case[] => {
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

export const TOLD: Case[] = [
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
