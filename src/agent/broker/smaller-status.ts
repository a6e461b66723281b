/** What is still told of a pod whose whole status is larger than the broker takes. Pure. */

/** The pod without its spec and annotations, which whoever published it has; undefined for what is no pod. */
export function smallerStatus(body: Uint8Array): Uint8Array | undefined {
  const { spec, ...pod } = JSON.parse(Buffer.from(body).toString() || '{}') as {
    kind?: string;
    spec?: object;
    metadata?: { annotations?: object };
  };
  if (pod.kind !== 'Pod' || spec === undefined) return undefined;
  const { annotations: _, ...metadata } = pod.metadata ?? {};
  return Buffer.from(JSON.stringify({ ...pod, metadata }));
}
