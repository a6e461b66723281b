/** Who a container runs as: the manifest's numbers, else the image's user, looked up in the container's own files. */
import { LIMITS } from '../limits.ts';
import type { PodSecurityContext, SecurityContext } from '../types/security.ts';
import { ContainerConfigError, type OciUser } from './types.ts';

/** The runner overrides it with what the annotation resolves to; should it ever not, the container is nobody, not root. */
const UNRESOLVED: OciUser = { uid: 65534, gid: 65534 };

/** How many ids a pod with users of its own has. */
const USER_RANGE = 65_536;

export interface ContainerUser {
  user: OciUser;
  /** `io.edgepod.user…`: what the runner looks up, and what it must not come to. */
  annotations: Record<string, string>;
}

export interface UserInput {
  /** The container's word over the pod's. */
  security: SecurityContext;
  pod: Pick<PodSecurityContext, 'supplementalGroups' | 'supplementalGroupsPolicy' | 'fsGroup'>;
  imageUser: string;
  /** False: the pod has users of its own, and no more than fit in its range. */
  hostUsers: boolean;
  /** `(pod: "name_namespace(uid)", container: name)`, for messages. */
  subject: string;
}

/**
 * Numbers and names go to the runner alike, since the further groups of a numeric user are in the image's files too
 * (supplementalGroupsPolicy Merge). Throws ContainerConfigError for an image user that is malformed or out of range, and
 * with the kubelet's words for one that runAsNonRoot forbids.
 */
export function containerUser({ security, pod, imageUser, hostUsers, subject }: UserInput): ContainerUser {
  const { runAsUser, runAsGroup, runAsNonRoot } = security;
  const [name, group] = runAsUser === undefined ? parseImageUser(imageUser) : [String(runAsUser)];
  if (runAsNonRoot) refuseRoot(runAsUser, name, subject);
  const wanted = [name, runAsGroup === undefined ? group : String(runAsGroup)].filter((part) => part !== undefined);
  const groups = [...new Set([...(pod.supplementalGroups ?? []), ...(pod.fsGroup === undefined ? [] : [pod.fsGroup])])];
  if (!hostUsers) refuseOutside([...wanted.filter(isNumber).map(Number), ...groups], subject);
  return {
    user: { ...UNRESOLVED, ...(groups.length > 0 && { additionalGids: groups }) },
    annotations: {
      'io.edgepod.user': wanted.join(':'),
      ...(pod.supplementalGroupsPolicy === 'Strict' && { 'io.edgepod.user.groups-policy': 'Strict' }),
      // A name is only a number once the runner has looked it up: the check is made there.
      ...(runAsNonRoot && { 'io.edgepod.user.non-root': 'true' }),
    },
  };
}

function refuseRoot(runAsUser: number | undefined, name: string, subject: string): void {
  if (runAsUser === 0) throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${subject}`);
  if (isNumber(name) && Number(name) === 0)
    throw new ContainerConfigError(`container has runAsNonRoot and image will run as root ${subject}`);
}

function refuseOutside(ids: number[], subject: string): void {
  const outside = ids.find((id) => id >= USER_RANGE);
  if (outside === undefined) return;
  throw new ContainerConfigError(
    `id ${outside} is not one of the ${USER_RANGE} users and groups of a pod with hostUsers: false ${subject}`,
  );
}

/** `user[:group]` of an image; nothing said is root. */
function parseImageUser(text: string): [user: string, group?: string] {
  if (text === '') return ['0'];
  const [user = '', group, ...rest] = text.split(':');
  if (rest.length > 0 || !isName(user) || (group !== undefined && !isName(group)))
    throw new ContainerConfigError(
      `the image's user ${JSON.stringify(text.slice(0, 80))} is not "user" or "user:group"`,
    );
  return group === undefined ? [user] : [user, group];
}

const isNumber = (text: string): boolean => /^\d+$/.test(text);

/** A name, or a number in range: one beyond 2^31 - 1 wraps to a negative one, or to root (CVE-2024-40635). */
function isName(text: string): boolean {
  if (isNumber(text)) return text.length <= 10 && Number(text) <= LIMITS.id;
  return /^[A-Za-z_][\w.-]{0,63}\$?$/.test(text);
}
