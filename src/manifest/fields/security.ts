/** Security contexts of pods and containers. */
import { type FieldTable, ignored, many, refused, yes } from './field.ts';

/** As on a node without SELinux. */
const SELINUX = ignored('SELinux labels are not set');
const WINDOWS = 'only Linux is available';
const IDS = yes("0 to 2147483647; the pod's, then the image's, when absent");

export const PodSecurityContext: FieldTable = {
  ...many('runAsUser runAsGroup', yes('0 to 2147483647')),
  runAsNonRoot: yes('not with user 0'),
  supplementalGroups: yes(),
  supplementalGroupsPolicy: yes("`Merge` (default): with the groups the image's `/etc/group` gives the user; `Strict`"),
  fsGroup: yes('owns the volumes made for the pod'),
  fsGroupChangePolicy: yes('`Always` (default), `OnRootMismatch`'),
  sysctls: yes(
    "of namespaces that are the pod's own; Kubernetes' safe ones and the node's `allowedUnsafeSysctls`; numbers only",
  ),
  seccompProfile: yes('`RuntimeDefault` (default), `Unconfined`, `Localhost`'),
  appArmorProfile: yes('`RuntimeDefault`, `Unconfined`, `Localhost`'),
  ...many('seLinuxOptions seLinuxChangePolicy', SELINUX),
  windowsOptions: refused(WINDOWS),
};

export const SecurityContext: FieldTable = {
  ...many('runAsUser runAsGroup', IDS),
  runAsNonRoot: yes('not with user 0'),
  readOnlyRootFilesystem: yes(),
  privileged: yes("all capabilities, no masked paths, no seccomp; for the host's devices mount hostPath `/dev`"),
  allowPrivilegeEscalation: yes('false sets no_new_privs'),
  capabilities: yes(),
  procMount: yes('`Default`; `Unmasked` with `hostUsers: false`'),
  seccompProfile: yes("the pod's, then `RuntimeDefault`, when absent"),
  appArmorProfile: yes("the pod's when absent"),
  seLinuxOptions: SELINUX,
  windowsOptions: refused(WINDOWS),
};

export const Capabilities: FieldTable = {
  add: yes('names without `CAP_`, or `ALL`'),
  drop: yes('names without `CAP_`, or `ALL`; with `ALL`, only what `add` names is left'),
};

const PROFILE: FieldTable = {
  type: yes('`RuntimeDefault`, `Unconfined`, `Localhost`'),
  localhostProfile: yes('with `Localhost`, and only with it'),
};

export const SeccompProfile: FieldTable = PROFILE;
export const AppArmorProfile: FieldTable = PROFILE;

export const Sysctl: FieldTable = {
  name: yes('with dots or slashes'),
  value: yes('numbers'),
};
