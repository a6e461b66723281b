/** The words in which tests of a group of containers speak; the pod is called p. */
import type { Container } from '../../../src/manifest/types/container.ts';
import type { Probe } from '../../../src/manifest/types/probes.ts';
import type { Bench } from './bench.ts';
import { settle } from './fake-time.ts';
import { container } from './fixtures.ts';

export const probe = (name: string, fields: Partial<Probe> = {}): Probe => ({
  exec: { command: [name] },
  initialDelaySeconds: 0,
  periodSeconds: 10,
  timeoutSeconds: 1,
  successThreshold: 1,
  failureThreshold: 3,
  ...fields,
});
export const sidecar = (name: string, fields: Partial<Container> = {}) =>
  container(name, { restartPolicy: 'Always', ...fields });
export const hook = (name: string) => ({ exec: { command: [name] } });
export const started = (b: Bench) => b.runtime.started.map((id) => id.slice(id.indexOf('/') + 1));
export const condition = (b: Bench, wanted: string) => b.status('p').conditions.find(({ type }) => type === wanted);
export const stops = (b: Bench) => b.sandbox().stops.map(({ container: name }) => name);
export const exit = async (b: Bench, name: string, code = 0) => {
  b.sandbox().exit(name, code);
  await settle();
};
