import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describePod } from '../../../src/cli/output/describe-pod.ts';
import type { Pod } from '../../../src/manifest/types/pod.ts';

const described = (spec: object) =>
  describePod({ device: 'board-7', pod: { metadata: { name: 'web' }, spec } as unknown as Pod });

test('every kind of volume is called what it is', () => {
  const text = described({
    containers: [],
    volumes: [
      { name: 'a', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      { name: 'b', hostPath: { path: '/srv', type: 'Directory' } },
      { name: 'c', configMap: { name: 'settings' } },
      { name: 'd', secret: { secretName: 'keys' } },
      { name: 'e', downwardAPI: { items: [{ path: 'labels' }] } },
      { name: 'f', projected: { sources: [{ configMap: { name: 'x' } }, { secret: { name: 'y' } }] } },
      { name: 'g', image: { reference: 'data:1' } },
    ],
  });
  const volumes = text.slice(text.indexOf('Volumes:\n') + 'Volumes:\n'.length);
  assert.equal(
    volumes,
    [
      'a: emptyDir in memory, at most 1Mi',
      'b: hostPath /srv (Directory)',
      'c: configMap settings',
      'd: secret keys',
      'e: downwardAPI labels',
      'f: projected configMap x, secret y',
      'g: image data:1',
    ]
      .map((line) => `  ${line}\n`)
      .join(''),
  );
});

test('ports as they are reached, and what there is none of', () => {
  const ports = [
    { containerPort: 80, protocol: 'TCP' },
    { containerPort: 8080, hostPort: 8001, hostIP: '192.0.2.7', protocol: 'TCP' },
  ];
  const text = described({ containers: [{ name: 'nginx', image: 'nginx', ports }] });
  assert.match(text, /^ {4}Ports: +80\/TCP, 192\.0\.2\.7:8001→8080\/TCP$/m);
  assert.match(text, /^ {4}Mounts: +<none>$/m);
  assert.match(text, /^Volumes: +<none>$/m);
});
