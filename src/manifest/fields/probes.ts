/** Probes and lifecycle hooks. */
import { type FieldTable, many, yes } from './field.ts';

export const Probe: FieldTable = {
  ...many('exec httpGet tcpSocket grpc', yes('exactly one')),
  initialDelaySeconds: yes('0 by default'),
  timeoutSeconds: yes('1 by default'),
  periodSeconds: yes('10 by default'),
  successThreshold: yes('1 by default; nothing else but for readiness'),
  failureThreshold: yes('3 by default'),
  terminationGracePeriodSeconds: yes("instead of the pod's; not for readiness"),
};

export const Lifecycle: FieldTable = {
  ...many('postStart preStop', yes()),
  stopSignal: yes("the image's, then SIGTERM, when absent"),
};

export const LifecycleHandler: FieldTable = {
  ...many('exec httpGet tcpSocket sleep', yes('exactly one')),
};

export const ExecAction: FieldTable = {
  command: yes('run in the container, without a shell'),
};

const PORT = yes('1 to 65535, or the name of a port of the container');

export const HTTPGetAction: FieldTable = {
  host: yes('the pod when absent'),
  path: yes('`/` by default'),
  port: PORT,
  scheme: yes('`HTTP` (default), `HTTPS`'),
  httpHeaders: yes(),
};

export const HTTPHeader: FieldTable = {
  name: yes(),
  value: yes(),
};

export const TCPSocketAction: FieldTable = {
  host: yes('the pod when absent'),
  port: PORT,
};

export const GRPCAction: FieldTable = {
  port: yes('1 to 65535'),
  service: yes(),
};

export const SleepAction: FieldTable = {
  seconds: yes('at most the grace period of the pod'),
};
