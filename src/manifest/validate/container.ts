/** Validates one container. */
import { defaultPullPolicy } from '../defaults.ts';
import { LIMITS } from '../limits.ts';
import type { Container } from '../types.ts';
import { newExpansion, readEnv, readWords } from './env.ts';
import { checkFields } from './field-check.ts';
import type { Issues } from './issues.ts';
import { readMounts } from './mounts.ts';
import { readPorts } from './ports.ts';
import { present, type RawObject, readAbsolutePath, readObject, readOneOf, readString, unlessBlank } from './read.ts';
import { readResources } from './resources.ts';
import { readSecurity } from './security.ts';
import { readLabelName } from './volumes.ts';

/** Fields that cannot be set yet, as they are when absent. */
const UNREAD: Pick<
  Container,
  'envFrom' | 'resizePolicy' | 'restartPolicyRules' | 'terminationMessagePath' | 'terminationMessagePolicy'
> = {
  envFrom: [],
  resizePolicy: [],
  restartPolicyRules: [],
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
};
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'] as const;

/** What a container's fields refer to in the rest of the pod. */
export interface PodContext {
  volumes: ReadonlySet<string>;
  hostNetwork: boolean;
}

export function readContainer(issues: Issues, path: string, item: unknown, pod: PodContext): Container | undefined {
  const raw = readObject(issues, path, item);
  if (raw === undefined) {
    if (item === null || item === undefined) issues.required(path);
    return undefined;
  }
  checkFields(issues, 'Container', raw, path);
  const expansion = newExpansion();
  const env = readEnv(issues, `${path}.env`, raw.env, expansion);
  const image = readImage(issues, `${path}.image`, raw.image) ?? '';
  return present({
    ...UNREAD,
    name: readLabelName(issues, `${path}.name`, raw.name) ?? '',
    image,
    imagePullPolicy: readPullPolicy(issues, `${path}.imagePullPolicy`, raw, image),
    command: readWords(issues, `${path}.command`, raw.command, expansion),
    args: readWords(issues, `${path}.args`, raw.args, expansion),
    workingDir: readAbsolutePath(issues, `${path}.workingDir`, unlessBlank(raw.workingDir)),
    env,
    ports: readPorts(issues, `${path}.ports`, raw.ports, pod.hostNetwork),
    resources: readResources(issues, `${path}.resources`, raw.resources),
    volumeMounts: readMounts(issues, `${path}.volumeMounts`, raw.volumeMounts, pod.volumes),
    securityContext: readSecurity(issues, `${path}.securityContext`, raw.securityContext),
  });
}

/** Only what every reference has in common: the image store parses it. */
function readImage(issues: Issues, path: string, value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return void issues.required(path);
  const image = readString(issues, path, value);
  if (image === undefined) return undefined;
  if (/[\s\p{Cc}]/u.test(image)) issues.invalid(path, image, 'must not contain white space');
  if (image.length > LIMITS.image) issues.invalid(path, image, `must be no more than ${LIMITS.image} characters`);
  return image;
}

function readPullPolicy(issues: Issues, path: string, raw: RawObject, image: string): Container['imagePullPolicy'] {
  return readOneOf(issues, path, unlessBlank(raw.imagePullPolicy), PULL_POLICIES) ?? defaultPullPolicy(image);
}
