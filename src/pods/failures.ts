/**
 * Errors of the parts below, as sentences for the person who wrote the manifest: which object, what failed at which
 * step, and what to do about it.
 */

/** What the runner says when it refuses; other errors have only a message. */
export interface RunnerError {
  step: string;
  code: string;
  detail: string;
}

export interface Subject {
  namespace: string;
  pod: string;
  container?: string;
}

export const asRunnerError = (error: unknown): RunnerError | undefined => {
  const { step, code, detail } = (error ?? {}) as Partial<RunnerError>;
  if (typeof step !== 'string') return undefined;
  return { step, code: String(code ?? ''), detail: String(detail ?? '') };
};

/** `default/web` or `default/web/nginx`. */
export const subjectName = ({ namespace, pod, container }: Subject): string =>
  container === undefined ? `${namespace}/${pod}` : `${namespace}/${pod}/${container}`;

/** Why a container could not be started, with what to do where the cause is a known one. */
export const startFailureMessage = (
  error: unknown,
  { subject, image, command }: { subject: Subject; image: string; command: string | undefined },
): string => {
  const runner = asRunnerError(error);
  if (runner === undefined) return `${subjectName(subject)}: ${messageOf(error)}`;
  const hint = startHint(runner, image, command ?? '');
  return `${subjectName(subject)}: ${runnerText(runner)}${hint && `: ${hint}`}`;
};

/** Why a sandbox, a volume or a removal failed. */
export const failureMessage = (error: unknown, subject: Subject): string => {
  const runner = asRunnerError(error);
  const hint = runner && resourceHint(runner.code);
  return `${subjectName(subject)}: ${runner ? runnerText(runner) : messageOf(error)}${hint ? `: ${hint}` : ''}`;
};

/** `exec ENOENT /bin/foo`: step, errno and object, as far as known. */
const runnerText = ({ step, code, detail }: RunnerError): string => [step, code, detail].filter(Boolean).join(' ');

const startHint = ({ step, code }: RunnerError, image: string, command: string): string => {
  if (/^exec/.test(step)) return execHint(code, image, command);
  if (/mount|bind|rootfs/.test(step) && code === 'ENOENT') {
    return 'a mount source or target is missing; check volumeMounts and that the host paths exist';
  }
  if (/cwd|chdir/.test(step)) return 'check spec.containers[].workingDir';
  return resourceHint(code) ?? '';
};

const execHint = (code: string, image: string, command: string): string => {
  if (code === 'ENOENT') {
    return `command "${command}" not found in image ${image} (it or its interpreter); check spec.containers[].command`;
  }
  if (code === 'EACCES') return `command "${command}" in image ${image} is not executable by the container's user`;
  if (code === 'ENOEXEC') {
    return `command "${command}" in image ${image} is no program for this machine (other architecture, or no #! line)`;
  }
  return resourceHint(code) ?? `command "${command}" in image ${image} could not be executed`;
};

const resourceHint = (code: string): string | undefined => {
  switch (code) {
    case 'ENOSPC':
      return 'the disk (or the number of cgroups) is used up; free space on the device';
    case 'ENOMEM':
      return 'the memory of the device, or the memory limit given, is too small';
    case 'EMFILE':
    case 'ENFILE':
    case 'EAGAIN':
      return 'the device is out of file descriptors or processes';
    default:
      return undefined;
  }
};

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
