/** Users, capabilities and sysctls that cannot be had: refused, each at its path. */
import { type Json, rawPod } from './fixtures.ts';
import { refusals } from './refusals.ts';

const security = (fields: Json) => rawPod({}, { securityContext: fields });

refusals([
  ['user -1', security({ runAsUser: -1 }), /runAsUser: Invalid value: -1/],
  [
    'user 2^31',
    security({ runAsUser: 2 ** 31 }),
    /runAsUser: Invalid value: 2147483648: must be a whole number from 0 to 2147483647/,
  ],
  [
    'user 2^32',
    rawPod({ securityContext: { runAsUser: 2 ** 32 } }),
    /^spec\.securityContext\.runAsUser: Invalid value: 4294967296/,
  ],
  ['user ""', security({ runAsUser: '' }), /runAsUser: Invalid value: got a string/],
  ['user " 0"', security({ runAsUser: ' 0' }), /runAsUser: Invalid value: got a string/],
  ['user "0x0"', security({ runAsUser: '0x0' }), /runAsUser: Invalid value: got a string/],
  ['a user in part', security({ runAsUser: 0.5 }), /runAsUser: Invalid value: 0\.5/],
  [
    'a capability that is none',
    security({ capabilities: { add: ['EVERYTHING'] } }),
    /capabilities\.add\[0\]: Unsupported value: "EVERYTHING"/,
  ],
  [
    'privileged without escalation',
    security({ privileged: true, allowPrivilegeEscalation: false }),
    /allowPrivilegeEscalation: Invalid value: false: cannot be false when privileged/,
  ],
  [
    'SYS_ADMIN without escalation',
    security({ capabilities: { add: ['CAP_SYS_ADMIN'] }, allowPrivilegeEscalation: false }),
    /cannot be false when capabilities\.add has SYS_ADMIN/,
  ],
  [
    'a forced non-root who is root',
    security({ runAsNonRoot: true, runAsUser: 0 }),
    /runAsUser: Invalid value: 0: must not be 0 \(root\)/,
  ],
  [
    'sysctls',
    rawPod({ securityContext: { sysctls: [{ name: 'kernel.shm_rmid_forced', value: '1+kernel.core_pattern=x' }] } }),
    /^spec\.securityContext\.sysctls\[0\]\.value: Invalid value: .*must be numbers/,
  ],
]);
