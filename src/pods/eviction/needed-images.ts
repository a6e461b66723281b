/** Which images pods need, so that none of those is removed. Pure. */
import { allContainers } from '../../manifest/containers.ts';
import type { PodSpec } from '../../manifest/types/pod.ts';
import type { DesiredPod, PodRecord } from '../types.ts';

export interface NeededImages {
  /** References, as manifests have them. */
  refs: ReadonlySet<string>;
  ids: ReadonlySet<string>;
  /** Images that no name leads to any more may be in use as volumes: nobody remembers which those are. */
  nameless: boolean;
}

/** A pod that has ended needs nothing; one that is desired and has not begun needs what its manifest names. */
export const neededImages = ({
  desired,
  records,
}: {
  desired: Pick<DesiredPod, 'namespace' | 'name' | 'specDigest' | 'pod'>[];
  records: PodRecord[];
}): NeededImages => {
  const living = records.filter(({ outcome }) => outcome === undefined);
  const over = new Set(
    records
      .filter(({ outcome }) => outcome)
      .map(({ namespace, name, specDigest }) => `${namespace}/${name}/${specDigest}`),
  );
  const wanted = desired.filter(({ namespace, name, specDigest }) => !over.has(`${namespace}/${name}/${specDigest}`));
  const specs = [...living, ...wanted].map(({ pod }) => pod.spec);
  const ids = living.flatMap(({ containers }) => Object.values(containers).flatMap(({ imageID }) => imageID ?? []));
  return {
    refs: new Set(specs.flatMap(refsOf)),
    ids: new Set(ids),
    nameless: living.some(({ pod }) => pod.spec.volumes.some(({ image }) => image !== undefined)),
  };
};

const refsOf = (spec: PodSpec): string[] => [
  ...allContainers(spec).map(({ image }) => image),
  ...spec.volumes.flatMap(({ image }) => image?.reference ?? []),
];
