/** Volumes and mounts as they must not be: refused, each at its path. */
import { type Json, rawPod } from './fixtures.ts';
import { refusals } from './refusals.ts';

const c = 'spec.containers[0]';
const volume = (source: Json) => rawPod({ volumes: [{ name: 'v', ...source }] });
const mount = (fields: Json) =>
  rawPod({ volumes: [{ name: 'v' }] }, { volumeMounts: [{ name: 'v', mountPath: '/v', ...fields }] });

refusals([
  [
    'two volumes of one name',
    rawPod({ volumes: [{ name: 'v' }, { name: 'v' }] }),
    'spec.volumes[1].name: Duplicate value: "v"',
  ],
  [
    'a volume of two kinds',
    volume({ emptyDir: {}, hostPath: { path: '/x' } }),
    'spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type (there is emptyDir)',
  ],
  [
    'a volume of a kind we lack',
    volume({ nfs: {} }),
    'spec.volumes[0].nfs: not supported: network and plug-in storage is not available; mount it on the device and use hostPath',
  ],
  [
    'a volume of an unknown kind',
    volume({ emptydir: {} }),
    'spec.volumes[0].emptydir: unknown field: did you mean "emptyDir"?',
  ],
  ['a medium that is none', volume({ emptyDir: { medium: 'HugePages' } }), /medium: Unsupported value: "HugePages"/],
  ['0 for a medium', volume({ emptyDir: { medium: 0 } }), /medium: Invalid value: got a number/],
  ['a host path without a path', volume({ hostPath: {} }), 'spec.volumes[0].hostPath.path: Required value'],
  [
    'a host path with ..',
    volume({ hostPath: { path: '/a/../b' } }),
    /hostPath\.path: Invalid value: "\/a\/\.\.\/b": must not contain '\.\.'/,
  ],
  [
    'a relative host path',
    volume({ hostPath: { path: 'a' } }),
    /hostPath\.path: Invalid value: "a": must be an absolute path/,
  ],
  [
    'a host path of an unknown type',
    volume({ hostPath: { path: '/a', type: 'Dir' } }),
    /hostPath\.type: Unsupported value: "Dir"/,
  ],

  [
    'a mount of no volume',
    mount({ name: 'w' }),
    `${c}.volumeMounts[0].name: Not found: "w": there is no such volume in spec.volumes`,
  ],
  ['a mount nowhere', mount({ mountPath: '' }), `${c}.volumeMounts[0].mountPath: Required value`],
  ['a mount over everything', mount({ mountPath: '//' }), /mountPath: Invalid value: "\/\/": must not be the root/],
  ['a mount in /proc', mount({ mountPath: '/./proc//self/attr' }), /mountPath: .*must not be in \/proc/],
  ['a relative mount', mount({ mountPath: 'v' }), /mountPath: Invalid value: "v": must be an absolute path/],
  ['a mount with ..', mount({ mountPath: '/v/..' }), /mountPath: .*must not contain '\.\.'/],
  ['an absolute subPath', mount({ subPath: '/etc' }), /subPath: Invalid value: "\/etc": must be a relative path/],
  ['a subPath with ..', mount({ subPath: 'a/../../b' }), /subPath: .*must not contain '\.\.'/],
  [
    'two mounts in one place',
    rawPod(
      { volumes: [{ name: 'v' }] },
      {
        volumeMounts: [
          { name: 'v', mountPath: '/v' },
          { name: 'v', mountPath: '/v/' },
        ],
      },
    ),
    `${c}.volumeMounts[1].mountPath: Duplicate value: "/v/"`,
  ],
]);
