/** Validates the containers that are added to a running pod. */
import { FIELDS, type FieldTable } from '../fields.ts';
import { LIMITS } from '../limits.ts';
import type { Container, EphemeralContainer } from '../types/container.ts';
import { type PodContext, readChecked } from './container.ts';
import { checkFields } from './field-check.ts';
import { type Issues, show } from './issues.ts';
import { present, type RawObject, readList, readRequiredObject, readString, unlessBlank } from './read.ts';

/** @param others the pod's own containers. Undefined when there are none. */
export function readEphemeralContainers(
  issues: Issues,
  path: string,
  value: unknown,
  { pod, others }: { pod: PodContext; others: Container[] },
): EphemeralContainer[] | undefined {
  const taken = new Set(others.map(({ name }) => name));
  const targets = new Set(taken);
  const read = readList(issues, path, value, LIMITS.containers).flatMap((item, i) => {
    const container = readOne(issues, `${path}[${i}]`, item, pod, targets);
    if (container === undefined) return [];
    if (container.name !== '' && taken.has(container.name)) issues.duplicate(`${path}[${i}].name`, container.name);
    taken.add(container.name);
    return [container];
  });
  return read.length === 0 ? undefined : read;
}

function readOne(
  issues: Issues,
  path: string,
  item: unknown,
  pod: PodContext,
  targets: ReadonlySet<string>,
): EphemeralContainer | undefined {
  const raw = readRequiredObject(issues, path, item);
  if (raw === undefined) return undefined;
  checkFields(issues, 'EphemeralContainer', raw, path);
  const container = readChecked(issues, path, withoutForbidden(raw), pod, 'regular');
  for (const [i, { subPath, subPathExpr }] of container.volumeMounts.entries())
    for (const [name, given] of Object.entries({ subPath, subPathExpr }))
      if (given !== undefined)
        issues.error(`${path}.volumeMounts[${i}].${name}`, 'Forbidden: cannot be set for an Ephemeral Container');
  const at = `${path}.targetContainerName`;
  const targetContainerName = readString(issues, at, unlessBlank(raw.targetContainerName));
  if (targetContainerName !== undefined && !targets.has(targetContainerName))
    issues.error(at, `Not found: ${show(targetContainerName)}: there is no such container`);
  return present({ ...container, targetContainerName });
}

/** What is not allowed has been told; what is wrong with it besides is nobody's business. */
function withoutForbidden(raw: RawObject): RawObject {
  const table: FieldTable = FIELDS.EphemeralContainer;
  return Object.fromEntries(Object.entries(raw).filter(([name]) => table[name]?.support === 'yes'));
}
