/** The call `restart`: ends a pod gracefully and begins it anew, with a new uid, from what is desired. */
import type { Logger } from 'pino';
import type { PodManager } from '../../pods/manager.ts';
import { CallError, podOf, podParams } from './target.ts';

/** Answers `{uid}` of the pod that ends. */
export async function restart(
  { manager, log }: { manager: PodManager; log: Logger },
  untyped: Record<string, unknown>,
): Promise<{ uid: string }> {
  const params = podParams(untyped);
  const { gracePeriodSeconds: grace } = untyped;
  if (grace !== undefined && !(Number.isInteger(grace) && (grace as number) >= 0))
    throw new CallError('InvalidParams', 'gracePeriodSeconds must be a whole number of seconds');
  const { uid } = podOf(manager, params);
  const { namespace, name } = params;
  if (!manager.replace(namespace, name, grace as number | undefined))
    throw new CallError('NotDesired', `pod ${namespace}/${name} is not desired any more: it would not come back`);
  log.info({ event: 'call.restart', namespace, name, uid }, 'pod restarted by an operator');
  return { uid };
}
