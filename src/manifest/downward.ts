/** What a pod can be told about itself: `fieldRef` and `resourceFieldRef`, of environments and volumes. Pure. */
import { findContainer } from './containers.ts';
import { parseNano } from './quantity.ts';
import type { Container } from './types/container.ts';
import type { FieldRef, ResourceFieldRef } from './types/env.ts';
import type { Pod } from './types/pod.ts';

/** What the manifest does not say. */
export interface PodFacts {
  uid: string;
  nodeName: string;
  hostIP?: string | undefined;
  podIP?: string | undefined;
  /** What pods may use on this node, as quantities: the value of a limit that is not set. */
  allocatable: { cpu: string; memory: string; 'ephemeral-storage': string };
}

/** Value of a field of the pod; of one that is not known yet, empty. The path has been validated. */
export function fieldValue(pod: Pod, { fieldPath }: FieldRef, facts: PodFacts): string {
  const { metadata } = pod;
  const [, map, key = ''] = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(fieldPath) ?? [];
  if (map !== undefined) return metadata[map as 'labels' | 'annotations']?.[key] ?? '';
  switch (fieldPath) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace;
    case 'metadata.uid':
      return facts.uid;
    case 'metadata.labels':
      return mapLines(metadata.labels);
    case 'metadata.annotations':
      return mapLines(metadata.annotations);
    case 'spec.nodeName':
      return facts.nodeName;
    case 'spec.serviceAccountName':
      return 'default';
    case 'status.hostIP':
    case 'status.hostIPs':
      return facts.hostIP ?? '';
    case 'status.podIP':
    case 'status.podIPs':
      return facts.podIP ?? '';
    default:
      throw new Error(`unsupported fieldPath: ${fieldPath}`);
  }
}

/** `key="value"` a line, by key, quoted as Go quotes. */
function mapLines(map: Record<string, string> = {}): string {
  const keys = Object.keys(map).sort();
  return keys.map((key) => `${key}=${quoted(map[key] as string)}`).join('\n');
}

const ESCAPES: Record<string, string> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};

function quoted(text: string): string {
  const hex = (char: string) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to be escaped
  return `"${text.replace(/["\\\x00-\x1f\x7f]/g, (char) => ESCAPES[char] ?? hex(char))}"`;
}

/**
 * A limit or request of a container in units of `divisor`, rounded up. A limit that is not set is the pod's own, else
 * all that the node can give; a request that is not set is 0. `self`: the container that asks.
 */
export function resourceValue(
  pod: Pod,
  { containerName, resource, divisor }: ResourceFieldRef,
  { facts, self }: { facts: PodFacts; self?: string },
): string {
  const name = containerName ?? self;
  const container = name === undefined ? undefined : findContainer(pod.spec, name);
  if (container === undefined) throw new Error(`container ${name} not found in pod`);
  const amount = parseNano(amountOf(pod, container, resource, facts));
  const asked = parseNano(divisor);
  const unit = asked > 0n ? asked : parseNano('1');
  return String((amount + unit - 1n) / unit);
}

function amountOf(pod: Pod, { resources }: Container, resource: string, { allocatable }: PodFacts): string {
  const dot = resource.indexOf('.');
  const name = resource.slice(dot + 1);
  if (resource.startsWith('requests.')) return resources.requests?.[name] ?? '0';
  const limit = resources.limits?.[name] ?? pod.spec.resources?.limits?.[name];
  return limit ?? (allocatable as Record<string, string | undefined>)[name] ?? '0';
}
