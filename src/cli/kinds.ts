/** What commands call things, with kubectl's short forms. */
import type { DesiredKind } from '../client/topics.ts';

export type Kind = DesiredKind | 'devices' | 'events';

const NAMES: Record<Kind, readonly string[]> = {
  pods: ['pod', 'pods', 'po'],
  devices: ['device', 'devices', 'node', 'nodes', 'no'],
  configmaps: ['configmap', 'configmaps', 'cm'],
  secrets: ['secret', 'secrets'],
  events: ['event', 'events', 'ev'],
};

/** The kind of that name in any of its forms; undefined for a word that is none. */
export function kindOf(word: string): Kind | undefined {
  return (Object.keys(NAMES) as Kind[]).find((kind) => NAMES[kind].includes(word.toLowerCase()));
}
