/** Validates `resources`. */
import { defaultRequests, quantityText } from '../defaults.ts';
import { LIMITS } from '../limits.ts';
import { compareQuantities, parseNano, QuantityError } from '../quantity.ts';
import type { Container, ResourceList } from '../types.ts';
import { checkFields } from './field-check.ts';
import { type Issues, member, show } from './issues.ts';
import { readObject } from './read.ts';

const UNIT = 10n ** 9n;
const MOST: Readonly<Record<string, number>> = { cpu: LIMITS.cpu, memory: LIMITS.memory };

export function readResources(issues: Issues, path: string, value: unknown): Container['resources'] {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return {};
  checkFields(issues, 'ResourceRequirements', raw, path);
  const limits = readResourceList(issues, `${path}.limits`, raw.limits);
  const requests = defaultRequests(readResourceList(issues, `${path}.requests`, raw.requests), limits);
  for (const [name, request] of Object.entries(requests)) {
    const limit = limits[name];
    if (limit !== undefined && compareQuantities(request, limit) > 0)
      issues.invalid(`${path}.requests.${name}`, request, `must be less than or equal to ${name} limit of ${limit}`);
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

function readResourceList(issues: Issues, path: string, value: unknown): ResourceList {
  const list: ResourceList = {};
  for (const [name, item] of Object.entries(readObject(issues, path, value) ?? {})) {
    const at = member(path, name);
    const most = Object.hasOwn(MOST, name) ? MOST[name] : undefined;
    if (most === undefined) reportResource(issues, at, name);
    else {
      const text = name === 'memory' ? readBytes(issues, at, item) : readQuantity(issues, at, item);
      if (text === undefined) continue;
      list[name] = text;
      if (parseNano(text) > BigInt(most) * UNIT) issues.invalid(at, text, `must be no more than ${most}`);
    }
  }
  return list;
}

function reportResource(issues: Issues, path: string, name: string): void {
  if (name === 'ephemeral-storage') issues.warn(path, 'ignored: disk use is not limited yet');
  else issues.error(path, `not supported: resource ${show(name)}; only cpu and memory are`);
}
