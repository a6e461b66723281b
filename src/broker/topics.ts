/** Builds and parses every topic of the MQTT contract. Pure. */

export type DesiredKind = 'pods' | 'configmaps' | 'secrets';
export type Source = 'device' | `group:${string}`;

/** Which desired object a topic is about, and whose wish it is. */
export interface DesiredKey {
  kind: DesiredKind;
  namespace: string;
  name: string;
  source: Source;
}

export type ParsedTopic =
  | ({ type: 'desired' } & DesiredKey)
  | { type: 'rpc'; method: string }
  /** Ours by its beginning, but not a topic of the contract. */
  | { type: 'malformed'; reason: string }
  /** Somebody else's. */
  | { type: 'foreign' };

export class TopicError extends Error {
  readonly code = 'E_TOPIC';
}

const ID = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const METHOD = /^[a-z][a-zA-Z0-9]*$/;
const KINDS: readonly string[] = ['pods', 'configmaps', 'secrets'] satisfies DesiredKind[];

/** Longest names Kubernetes allows: a namespace is a DNS label, an object name a DNS subdomain. */
const MAX_LABEL = 63;
const MAX_NAME = 253;

/** The prefix may have two levels: with them the longest topic has 7 slashes, which is where AWS IoT stops. */
const MAX_PREFIX_LEVELS = 2;

/** True for a legal device, group or prefix level. */
export function isId(text: string): boolean {
  return text.length <= MAX_LABEL && ID.test(text);
}

/** Whether an MQTT filter (with `+` and `#`) takes a topic. */
export function filterMatches(filter: string, topic: string): boolean {
  const want = filter.split('/');
  const have = topic.split('/');
  for (const [i, level] of want.entries()) {
    if (level === '#') return true;
    if (i >= have.length || (level !== '+' && level !== have[i])) return false;
  }
  return want.length === have.length;
}

/** The topics of one device. Throws TopicError for ids the contract does not allow. */
export class Topics {
  readonly prefix: string;
  readonly device: string;
  readonly groups: readonly string[];
  readonly node: string;
  readonly presence: string;
  readonly metrics: string;
  readonly events: string;
  #base: string;

  constructor({ prefix = 'edgepod', device, groups = [] }: { prefix?: string; device: string; groups?: string[] }) {
    const levels = prefix.split('/');
    if (levels.length > MAX_PREFIX_LEVELS || !levels.every(isId)) {
      throw new TopicError(`topic prefix "${prefix}" must be one or two levels of lower-case letters, digits, - and .`);
    }
    for (const id of [device, ...groups]) {
      if (!isId(id)) throw new TopicError(`"${id}" must be lower-case letters, digits, - and ., at most ${MAX_LABEL}`);
    }
    this.prefix = prefix;
    this.device = device;
    this.groups = [...new Set(groups)].sort();
    this.#base = `${prefix}/devices/${device}`;
    this.node = `${this.#base}/node`;
    this.presence = `${this.#base}/presence`;
    this.metrics = `${this.#base}/metrics`;
    this.events = `${this.#base}/events`;
  }

  /** Retained status of one pod. */
  podStatus(namespace: string, name: string): string {
    return `${this.podStatuses(namespace)}${name}`;
  }

  /** What the topics of all statuses begin with, or of those of one namespace. */
  podStatuses(namespace?: string): string {
    return `${this.#base}/status/pods/${namespace === undefined ? '' : `${namespace}/`}`;
  }

  /** Where one source publishes one object; the device clears its own tombstones there. */
  desired({ kind, namespace, name, source }: DesiredKey): string {
    return `${this.#sourceBase(source)}/desired/${kind}/${namespace}/${name}`;
  }

  /** Filters for the desired state of the device and of its groups. */
  get desiredFilters(): string[] {
    const sources: Source[] = ['device', ...this.groups.map((group): Source => `group:${group}`)];
    return sources.map((source) => `${this.#sourceBase(source)}/desired/+/+/+`);
  }

  /** Filter for requests to this device. */
  get rpcFilter(): string {
    return `${this.#base}/rpc/+`;
  }

  /** Answers go to a client's own topics, `<prefix>/clients/<client id>/…`, and nowhere else. */
  isReplyTopic(topic: string): boolean {
    const start = `${this.prefix}/clients/`;
    if (!topic.startsWith(start) || topic.length > 256 || /[+#\0]/.test(topic)) return false;
    const [client, ...rest] = topic.slice(start.length).split('/');
    return client !== '' && rest.length > 0 && rest.length <= 4 && rest.every((level) => level !== '');
  }

  parse(topic: string): ParsedTopic {
    const source = this.#sourceOf(topic);
    if (source === undefined) return { type: 'foreign' };
    const [branch, ...rest] = topic.slice(this.#sourceBase(source).length + 1).split('/');
    if (branch === 'desired') return parseDesired(rest, source);
    if (branch === 'rpc' && source === 'device') {
      const [method = ''] = rest;
      if (rest.length === 1 && METHOD.test(method) && method.length <= MAX_LABEL) return { type: 'rpc', method };
      return { type: 'malformed', reason: `"${method}" is not a method name` };
    }
    return { type: 'foreign' };
  }

  #sourceBase(source: Source): string {
    return source === 'device' ? this.#base : `${this.prefix}/groups/${source.slice('group:'.length)}`;
  }

  #sourceOf(topic: string): Source | undefined {
    if (topic.startsWith(`${this.#base}/`)) return 'device';
    const group = this.groups.find((name) => topic.startsWith(`${this.prefix}/groups/${name}/`));
    return group === undefined ? undefined : `group:${group}`;
  }
}

function parseDesired(levels: string[], source: Source): ParsedTopic {
  const [kind = '', namespace = '', name = ''] = levels;
  if (levels.length !== 3) return { type: 'malformed', reason: 'expected …/desired/<kind>/<namespace>/<name>' };
  if (!KINDS.includes(kind)) return { type: 'malformed', reason: `kind "${kind}" is none of ${KINDS.join(', ')}` };
  if (namespace.length > MAX_LABEL || namespace.includes('.') || !ID.test(namespace)) {
    return { type: 'malformed', reason: `"${namespace}" is not a namespace name` };
  }
  if (name.length > MAX_NAME || !ID.test(name)) return { type: 'malformed', reason: `"${name}" is not an object name` };
  return { type: 'desired', kind: kind as DesiredKind, namespace, name, source };
}
