/** Validates `restartPolicyRules` and `resizePolicy` of a container. */
import { LIMITS } from '../limits.ts';
import type { Container, RestartRule } from '../types/container.ts';
import type { PodSpec } from '../types/pod.ts';
import { checkFields } from './field-check.ts';
import type { Issues } from './issues.ts';
import { readInteger, readList, readOneOf, readRequiredObject, readRequiredString, unlessBlank } from './read.ts';

const MOST_RULES = 20;
const MOST_CODES = 255;
const ACTIONS = ['Restart', 'RestartAllContainers'] as const;
const OPERATORS = ['In', 'NotIn'] as const;
const RESIZABLE = ['cpu', 'memory'] as const;
const RESIZE = ['NotRequired', 'RestartContainer'] as const;
export const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'] as const;

export function readContainerRestartPolicy(issues: Issues, path: string, value: unknown): Container['restartPolicy'] {
  return readOneOf(issues, path, unlessBlank(value), RESTART_POLICIES);
}

/** @param path of the container */
export function readRestartRules(
  issues: Issues,
  path: string,
  value: unknown,
  policy: Container['restartPolicy'],
): RestartRule[] {
  const at = `${path}.restartPolicyRules`;
  const items = readList(issues, at, value, MOST_RULES);
  if (items.length > 0 && policy === undefined)
    issues.required(`${path}.restartPolicy`, 'must be specified when restartPolicyRules are used');
  return items.flatMap((item, i) => readRule(issues, `${at}[${i}]`, item) ?? []);
}

function readRule(issues: Issues, path: string, item: unknown): RestartRule | undefined {
  const raw = readRequiredObject(issues, path, item);
  if (raw === undefined) return undefined;
  checkFields(issues, 'ContainerRestartRule', raw, path);
  const action = readRequiredOneOf(issues, `${path}.action`, raw.action, ACTIONS);
  const at = `${path}.exitCodes`;
  const codes = readRequiredObject(issues, at, raw.exitCodes);
  if (codes === undefined) return undefined;
  checkFields(issues, 'ContainerRestartRuleOnExitCodes', codes, at);
  const operator = readRequiredOneOf(issues, `${at}.operator`, codes.operator, OPERATORS);
  const items = readList(issues, `${at}.values`, codes.values, MOST_CODES);
  const { values: given } = codes;
  if (given === undefined || given === null || (Array.isArray(given) && given.length === 0))
    issues.required(`${at}.values`);
  const values = items.flatMap((code, i) => readExitCode(issues, `${at}.values[${i}]`, code) ?? []);
  if (action === undefined || operator === undefined) return undefined;
  return { action, exitCodes: { operator, values } };
}

function readExitCode(issues: Issues, path: string, code: unknown): number | undefined {
  if (code === null) return void issues.required(path);
  return readInteger(issues, path, code, { max: MOST_CODES });
}

/** @param podPolicy a container that is never restarted cannot be restarted for a resize */
export function readResizePolicy(
  issues: Issues,
  path: string,
  value: unknown,
  podPolicy: PodSpec['restartPolicy'],
): Container['resizePolicy'] {
  const seen = new Set<string>();
  return readList(issues, path, value, LIMITS.items).flatMap((item, i) => {
    const at = `${path}[${i}]`;
    const raw = readRequiredObject(issues, at, item);
    if (raw === undefined) return [];
    checkFields(issues, 'ContainerResizePolicy', raw, at);
    const resourceName = readRequiredOneOf(issues, `${at}.resourceName`, raw.resourceName, RESIZABLE);
    const restartPolicy = readRequiredOneOf(issues, `${at}.restartPolicy`, raw.restartPolicy, RESIZE);
    if (resourceName === undefined || restartPolicy === undefined) return [];
    if (seen.has(resourceName)) issues.duplicate(`${at}.resourceName`, resourceName);
    seen.add(resourceName);
    if (podPolicy === 'Never' && restartPolicy !== 'NotRequired')
      issues.invalid(
        `${at}.restartPolicy`,
        restartPolicy,
        'must be "NotRequired" when the pod has restartPolicy Never',
      );
    return [{ resourceName, restartPolicy }];
  });
}

function readRequiredOneOf<T extends string>(
  issues: Issues,
  path: string,
  value: unknown,
  values: readonly T[],
): T | undefined {
  const text = readRequiredString(issues, path, value);
  return text === undefined ? undefined : readOneOf(issues, path, text, values);
}
