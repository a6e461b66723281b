/** Changed cpu and memory figures of a running container: whether its resizePolicy lets them change in place. Pure. */
import type { Container, ResourceRequirements } from '../manifest/types.ts';
import type { ContainerHistory } from './types.ts';

export type Resize = 'none' | 'in-place' | 'restart';

/** What the difference between what the cgroup was given and what the spec says asks for. */
export const resizeOf = (container: Container, { resources }: ContainerHistory): Resize => {
  if (resources === undefined) return 'none';
  const changed = ['cpu', 'memory'].filter((name) => figures(resources, name) !== figures(container.resources, name));
  if (changed.length === 0) return 'none';
  const restarts = container.resizePolicy.some(
    ({ resourceName, restartPolicy }) => restartPolicy === 'RestartContainer' && changed.includes(resourceName),
  );
  return restarts ? 'restart' : 'in-place';
};

const figures = ({ limits, requests }: ResourceRequirements, name: string): string =>
  `${limits?.[name] ?? ''} ${requests?.[name] ?? ''}`;
