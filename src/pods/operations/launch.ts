/** What is decided, and made durable, with the launch of an attempt. */
import { findContainer } from '../../manifest/containers.ts';
import type { LaunchFacts } from '../history.ts';
import type { PodRecord } from '../types.ts';

/** Facts of the next attempt of a container in the sandbox of that number. */
export const launchFacts = ({ pod }: PodRecord, name: string, sandbox: number): LaunchFacts | undefined => {
  const container = findContainer(pod.spec, name);
  return (
    container && {
      origin: { sandbox, image: container.image },
      resources: container.resources,
      postStart: container.lifecycle?.postStart !== undefined,
    }
  );
};
