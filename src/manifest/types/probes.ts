/** What is asked of a container, and what it is told at its beginning and end. */

/** What to do to find out how a container is, and how its answers count. Seconds. */
export interface Probe extends Handler {
  grpc?: { port: number; service: string };
  initialDelaySeconds: number;
  periodSeconds: number;
  timeoutSeconds: number;
  successThreshold: number;
  failureThreshold: number;
  /** Instead of the pod's, when a failed liveness or startup probe kills the container. */
  terminationGracePeriodSeconds?: number;
}

/** Exactly one member (a Probe may have `grpc`, a hook `sleep`, instead). */
export interface Handler {
  exec?: { command: string[] };
  httpGet?: HttpGet;
  tcpSocket?: { host?: string; port: number | string };
}

export interface HttpGet {
  host?: string;
  path: string;
  /** A number, or the name of one of the container's ports. */
  port: number | string;
  scheme: 'HTTP' | 'HTTPS';
  httpHeaders: { name: string; value: string }[];
}

export interface LifecycleHandler extends Handler {
  sleep?: { seconds: number };
}

export interface Lifecycle {
  postStart?: LifecycleHandler;
  preStop?: LifecycleHandler;
  /** E.g. `SIGUSR1`; the image's, then SIGTERM, when absent. */
  stopSignal?: string;
}
