/** Validates `resources` of a container, and quantities in general. */
import { defaultRequests, quantityText } from '../defaults.ts';
import { LIMITS } from '../limits.ts';
import { compareQuantities, parseNano, QuantityError } from '../quantity.ts';
import type { ResourceList, ResourceRequirements } from '../types/container.ts';
import { checkFields } from './field-check.ts';
import { type Issues, member, show } from './issues.ts';
import { type RawObject, readObject } from './read.ts';

const UNIT = 10n ** 9n;
const MOST: Readonly<Record<string, number>> = {
  cpu: LIMITS.cpu,
  memory: LIMITS.memory,
  'ephemeral-storage': LIMITS.memory,
};
const RESOURCES = Object.keys(MOST);

export function readResources(issues: Issues, path: string, value: unknown): ResourceRequirements {
  const raw = readObject(issues, path, value);
  return raw === undefined ? {} : readRequirements(issues, path, raw, RESOURCES);
}

/** What the runtime itself costs: added to what the pod asks for. */
export function readOverhead(issues: Issues, path: string, value: unknown): ResourceList | undefined {
  const list = readResourceList(issues, path, value, RESOURCES);
  return Object.keys(list).length > 0 ? list : undefined;
}

/**
 * Limits and requests, which default to the limits, resource by resource.
 * @param names of the resources there may be
 * @param otherwise requests that come before the limits as defaults; not checked against them
 */
export function readRequirements(
  issues: Issues,
  path: string,
  raw: RawObject,
  names: readonly string[],
  otherwise: ResourceList = {},
): ResourceRequirements {
  checkFields(issues, 'ResourceRequirements', raw, path);
  const limits = readResourceList(issues, `${path}.limits`, raw.limits, names);
  const given = readResourceList(issues, `${path}.requests`, raw.requests, names);
  const requests = defaultRequests({ ...otherwise, ...given }, limits);
  for (const [name, request] of Object.entries(requests)) {
    const limit = limits[name];
    if (limit !== undefined && compareQuantities(request, limit) > 0)
      issues.invalid(
        member(`${path}.requests`, name),
        request,
        `must be less than or equal to ${name} limit of ${limit}`,
      );
  }
  return {
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(Object.keys(requests).length > 0 && { requests }),
  };
}

/** A quantity as text; a JSON number stands for its text, as in Kubernetes. */
export function readQuantity(issues: Issues, path: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  const text = typeof value === 'number' ? quantityText(value) : value;
  try {
    if (typeof text !== 'string') throw new QuantityError('must be a quantity like "500m" or "64Mi"');
    if (parseNano(text) >= 0n) return text;
    throw new QuantityError('must be greater than or equal to 0');
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error;
    issues.invalid(path, value, error.message);
    return undefined;
  }
}

/** A quantity of bytes. A part of a byte is a slip of the suffix (`512m`), never meant. */
export function readBytes(issues: Issues, path: string, value: unknown): string | undefined {
  const text = readQuantity(issues, path, value);
  if (text === undefined || parseNano(text) % UNIT === 0n) return text;
  issues.invalid(path, text, 'must be a whole number of bytes: "m" is a thousandth, a mebibyte is "Mi"');
  return undefined;
}

function readResourceList(issues: Issues, path: string, value: unknown, names: readonly string[]): ResourceList {
  const list: ResourceList = {};
  for (const [name, item] of Object.entries(readObject(issues, path, value) ?? {})) {
    const at = member(path, name);
    if (!names.includes(name)) reportResource(issues, at, name, names);
    else {
      const text = name === 'cpu' ? readQuantity(issues, at, item) : readBytes(issues, at, item);
      if (text === undefined) continue;
      list[name] = text;
      const most = MOST[name] ?? LIMITS.memory;
      if (parseNano(text) > BigInt(most) * UNIT) issues.invalid(at, text, `must be no more than ${most}`);
    }
  }
  return list;
}

function reportResource(issues: Issues, path: string, name: string, names: readonly string[]): void {
  const why = name.startsWith('hugepages-') ? 'huge pages are not handed out' : `resource ${show(name)} is not known`;
  issues.error(path, `not supported: ${why}; only ${names.join(', ')} are`);
}
