/** The one error class of the runtime: what failed, at which step, on which object. */

export interface RuntimeErrorInit {
  /** Kebab-case step that failed, e.g. `mount-volume`, `exec`, `network-attach`: part of the contract with callers. */
  step: string;
  /** Errno name (`ENOENT`) or one of the runtime's own codes (`ESHIMLOST`, `ETIMEDOUT`, `EPROTO`, `ENATIVE`). */
  code: string;
  errno?: number | undefined;
  detail?: string | undefined;
  /** The pod, container, link or file it was about. */
  object?: string | undefined;
  cause?: unknown;
}

export class RuntimeError extends Error {
  readonly step: string;
  readonly code: string;
  readonly errno: number;
  readonly detail: string;
  readonly object: string;

  constructor({ step, code, errno = 0, detail = '', object = '', cause }: RuntimeErrorInit) {
    super([object, step, detail || undefined, code].filter(Boolean).join(': '), { cause });
    this.name = 'RuntimeError';
    this.step = step;
    this.code = code;
    this.errno = errno;
    this.detail = detail;
    this.object = object;
  }
}

interface NativeShape {
  step?: unknown;
  code?: unknown;
  errno?: unknown;
  detail?: unknown;
  syscall?: unknown;
  path?: unknown;
}

/**
 * A RuntimeError made of whatever was thrown: the addon's errors keep their step, Node's file-system errors get
 * `step`, a RuntimeError passes through.
 */
export function runtimeError(error: unknown, { step, object }: { step: string; object?: string }): RuntimeError {
  if (error instanceof RuntimeError) return error;
  const { step: nativeStep, code, errno, detail, path } = (error ?? {}) as NativeShape;
  const message = error instanceof Error ? error.message : String(error);
  return new RuntimeError({
    step: typeof nativeStep === 'string' ? nativeStep : step,
    code: typeof code === 'string' ? code : 'EUNKNOWN',
    errno: typeof errno === 'number' ? Math.abs(errno) : 0,
    detail: typeof detail === 'string' ? detail : typeof path === 'string' ? path : message,
    object,
    cause: error,
  });
}

export const hasCode = (error: unknown, ...codes: string[]): boolean =>
  codes.includes((error as { code?: string } | undefined)?.code ?? '');
