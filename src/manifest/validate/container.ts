/** Validates one container. */
import { DEFAULT_TERMINATION_MESSAGE_PATH, defaultPullPolicy } from '../defaults.ts';
import type { Container } from '../types/container.ts';
import type { PodSpec } from '../types/pod.ts';
import type { Volume } from '../types/volumes.ts';
import { newExpansion, readEnv, readWords } from './env.ts';
import { readEnvFrom } from './env-source.ts';
import { checkFields } from './field-check.ts';
import { readImageReference, readPullPolicy } from './image.ts';
import type { Issues } from './issues.ts';
import { readLifecycle } from './lifecycle.ts';
import { readMounts } from './mounts.ts';
import { dnsLabel } from './names.ts';
import { readPorts } from './ports.ts';
import { PROBES, readProbes } from './probes.ts';
import {
  present,
  type RawObject,
  readAbsolutePath,
  readBoolean,
  readNamed,
  readOneOf,
  readRequiredObject,
  unlessBlank,
} from './read.ts';
import { readResources } from './resources.ts';
import { readContainerRestartPolicy, readResizePolicy, readRestartRules } from './restart.ts';
import { readSecurity } from './security.ts';

const MESSAGE_POLICIES = ['File', 'FallbackToLogsOnError'] as const;

/** What a container's fields refer to in the rest of the pod. */
export interface PodContext {
  volumes: ReadonlyMap<string, Volume>;
  hostNetwork: boolean;
  hostUsers: boolean;
  restartPolicy: PodSpec['restartPolicy'];
  graceSeconds: number;
}

/** Reads one of a pod's own containers. @param role `init`: one of initContainers, a sidecar or not */
export function readContainer(
  issues: Issues,
  path: string,
  item: unknown,
  pod: PodContext,
  role: 'init' | 'regular',
): Container | undefined {
  const raw = readRequiredObject(issues, path, item);
  if (raw === undefined) return undefined;
  checkFields(issues, 'Container', raw, path);
  return readChecked(issues, path, raw, pod, role);
}

/** Reads the fields of an object of which the field table has been asked already. */
export function readChecked(
  issues: Issues,
  path: string,
  raw: RawObject,
  pod: PodContext,
  role: 'init' | 'regular',
): Container {
  const restartPolicy = readContainerRestartPolicy(issues, `${path}.restartPolicy`, raw.restartPolicy);
  const plainInit = role === 'init' && restartPolicy !== 'Always';
  if (plainInit) checkPlainInit(issues, path, raw);
  const ports = readPorts(issues, `${path}.ports`, raw.ports, pod.hostNetwork);
  const security = readSecurity(issues, `${path}.securityContext`, raw.securityContext, pod);
  return present({
    name: readNamed(issues, `${path}.name`, raw.name, dnsLabel) ?? '',
    ...readProgram(issues, path, raw),
    ports,
    resources: readResources(issues, `${path}.resources`, raw.resources),
    volumeMounts: readMounts(issues, `${path}.volumeMounts`, raw.volumeMounts, {
      volumes: pod.volumes,
      privileged: security?.privileged === true,
    }),
    resizePolicy: plainInit
      ? []
      : readResizePolicy(issues, `${path}.resizePolicy`, raw.resizePolicy, pod.restartPolicy),
    restartPolicy,
    restartPolicyRules: readRestartRules(issues, path, raw.restartPolicyRules, restartPolicy),
    ...(plainInit ? {} : readProbes(issues, path, raw, ports)),
    lifecycle: plainInit
      ? undefined
      : readLifecycle(issues, `${path}.lifecycle`, raw.lifecycle, { ports, graceSeconds: pod.graceSeconds }),
    stdin: readBoolean(issues, `${path}.stdin`, raw.stdin) || undefined,
    ...readTerminationMessage(issues, path, raw),
    securityContext: security,
  });
}

/** What is run, and with which words. */
function readProgram(issues: Issues, path: string, raw: RawObject) {
  const expansion = newExpansion();
  const env = readEnv(issues, `${path}.env`, raw.env, expansion);
  const image = readImageReference(issues, `${path}.image`, raw.image) ?? '';
  return {
    image,
    imagePullPolicy: readPullPolicy(issues, `${path}.imagePullPolicy`, raw.imagePullPolicy) ?? defaultPullPolicy(image),
    command: readWords(issues, `${path}.command`, raw.command, expansion),
    args: readWords(issues, `${path}.args`, raw.args, expansion),
    workingDir: readAbsolutePath(issues, `${path}.workingDir`, unlessBlank(raw.workingDir)),
    env,
    envFrom: readEnvFrom(issues, `${path}.envFrom`, raw.envFrom),
  };
}

function readTerminationMessage(issues: Issues, path: string, raw: RawObject) {
  const at = `${path}.terminationMessagePath`;
  const policy = unlessBlank(raw.terminationMessagePolicy);
  return {
    terminationMessagePath:
      readAbsolutePath(issues, at, unlessBlank(raw.terminationMessagePath)) ?? DEFAULT_TERMINATION_MESSAGE_PATH,
    terminationMessagePolicy: readOneOf(issues, `${path}.terminationMessagePolicy`, policy, MESSAGE_POLICIES) ?? 'File',
  };
}

/** A plain init container ends by itself, before anybody would ask how it is. */
function checkPlainInit(issues: Issues, path: string, raw: RawObject): void {
  for (const name of ['lifecycle', ...PROBES])
    if (raw[name] !== undefined && raw[name] !== null)
      issues.error(`${path}.${name}`, 'Forbidden: may not be set for init containers without restartPolicy=Always');
  if (Array.isArray(raw.resizePolicy) && raw.resizePolicy.length > 0)
    issues.error(`${path}.resizePolicy`, 'Forbidden: may not be set for init containers without restartPolicy=Always');
}
