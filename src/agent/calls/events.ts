/** The call `events`: what happened lately, of one object, one namespace or all. */
import type { RpcContext } from '../../broker/rpc.ts';
import type { EventFilter, RecentEvents } from '../broker/recent-events.ts';
import { fitting, halves } from './fitting.ts';
import { CallError } from './target.ts';

/** Small enough for one packet of most brokers. */
const PER_ANSWER = 32;

/** Answers `{events: […]}`, oldest first, in one or more pieces. */
export async function* events(
  recent: RecentEvents,
  params: Record<string, unknown>,
  { fits }: Pick<RpcContext, 'fits'>,
): AsyncGenerator<object> {
  const found = recent.list(eventFilter(params));
  for (let at = 0; at < found.length; at += PER_ANSWER)
    for (const some of fitting(found.slice(at, at + PER_ANSWER), (list) => fits({ events: list }), halves))
      yield { events: some };
}

function eventFilter(params: Record<string, unknown>): EventFilter {
  const filter: EventFilter = {};
  for (const key of ['kind', 'namespace', 'name'] as const) {
    const value = params[key];
    if (value === undefined) continue;
    if (typeof value !== 'string') throw new CallError('InvalidParams', `${key} must be text`);
    filter[key] = value;
  }
  return filter;
}
