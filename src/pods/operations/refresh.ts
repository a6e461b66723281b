/** Following what a running pod's volumes are made from. */
import { failureMessage } from '../failures.ts';
import { isDataVolume } from '../volumes/payload.ts';
import type { Incarnation } from '../worker/incarnation.ts';

/**
 * Brings the files of ConfigMaps, Secrets and of the pod's own metadata up to date; writes nothing where nothing changed.
 * An object that has been deleted leaves the files as they are.
 */
export const refreshVolumes = (pod: Incarnation): void => {
  const { record, parts } = pod;
  if (record.outcome || record.deleting || !record.pod.spec.volumes.some(isDataVolume)) return;
  pod.operate(async () => {
    try {
      await parts.volumes.refresh(record.uid, record.pod);
    } catch (error) {
      if ((error as { code?: string }).code === 'E_VOLUME_SET_UP') return;
      pod.event('Warning', 'FailedMount', failureMessage(error, { namespace: record.namespace, pod: record.name }));
    }
  });
};
