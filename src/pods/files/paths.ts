/** Where a pod's files are. Every component is a validated Kubernetes name or a uid of our own making. */
import { join } from 'node:path';
import type { PodRecord } from '../types.ts';

export interface Paths {
  dataDir: string;
  logDir: string;
  runDir: string;
}

/** `<data-dir>/pods/<uid>`: everything of a pod that lives on the disk, logs excepted. */
export const podDir = ({ dataDir }: Paths, uid: string): string => join(dataDir, 'pods', uid);

/** What the pod's emptyDirs on the disk hold, by name. */
export const volumeDir = (paths: Paths, uid: string): string => join(podDir(paths, uid), 'volumes');

/** Files bind-mounted into every container of the pod. */
export const identityPaths = (paths: Paths, uid: string): { hosts: string; hostname: string; resolvConf: string } => {
  const etc = join(podDir(paths, uid), 'etc');
  return { hosts: join(etc, 'hosts'), hostname: join(etc, 'hostname'), resolvConf: join(etc, 'resolv.conf') };
};

/** Directory of all attempts of one container. */
export const containerDir = (paths: Paths, uid: string, container: string): string =>
  join(podDir(paths, uid), 'containers', container);

/** Overlay directories of one attempt. */
export const overlayPaths = (
  paths: Paths,
  uid: string,
  container: string,
  attempt: number,
): { upper: string; work: string } => {
  const dir = join(containerDir(paths, uid, container), String(attempt));
  return { upper: join(dir, 'upper'), work: join(dir, 'work') };
};

/** The file a container leaves a last word in, one for each attempt. */
export const terminationLogPath = (paths: Paths, uid: string, container: string, attempt: number): string =>
  join(containerDir(paths, uid, container), String(attempt), 'termination-log');

/** `<logDir>/<ns>_<name>_<uid>`, as in /var/log/pods. */
export const podLogDir = (
  { logDir }: Pick<Paths, 'logDir'>,
  { namespace, name, uid }: Pick<PodRecord, 'namespace' | 'name' | 'uid'>,
): string => join(logDir, `${namespace}_${name}_${uid}`);

export const logPath = (
  paths: Pick<Paths, 'logDir'>,
  record: Pick<PodRecord, 'namespace' | 'name' | 'uid'>,
  container: string,
  attempt: number,
): string => join(podLogDir(paths, record), container, `${attempt}.log`);
