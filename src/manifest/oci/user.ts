/** Who a container runs as: the manifest's numbers, else the image's user. */
import { LIMITS } from '../limits.ts';
import type { SecurityContext } from '../types.ts';
import { ContainerConfigError, type OciUser } from './types.ts';

/** The runner overrides it with what the annotation resolves to; should it ever not, the container is nobody, not root. */
const UNRESOLVED: OciUser = { uid: 65534, gid: 65534 };

/** Numbers, or what the runner looks up in the container's own passwd and group files (annotation `io.edgepod.user`). */
export interface ContainerUser {
  user: OciUser;
  lookup?: string;
}

/**
 * With both numbers there is nothing to look up; a user alone takes its group from the container's passwd; a group alone
 * goes with the image's user. Throws ContainerConfigError for an image user that is malformed or out of range.
 */
export function containerUser({ runAsUser, runAsGroup }: SecurityContext, imageUser: string): ContainerUser {
  if (runAsUser !== undefined && runAsGroup !== undefined) return { user: { uid: runAsUser, gid: runAsGroup } };
  const [name, group] = runAsUser === undefined ? parseImageUser(imageUser) : [String(runAsUser)];
  const lookup = [name, runAsGroup === undefined ? group : String(runAsGroup)]
    .filter((part) => part !== undefined)
    .join(':');
  return { user: UNRESOLVED, lookup };
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

/** A name, or a number in range: one beyond 2^31 - 1 wraps to a negative one, or to root (CVE-2024-40635). */
function isName(text: string): boolean {
  if (/^\d+$/.test(text)) return text.length <= 10 && Number(text) <= LIMITS.id;
  return /^[A-Za-z_][\w.-]{0,63}\$?$/.test(text);
}
