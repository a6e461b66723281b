/** Desired state between the broker, the store and the reconciler: bytes are admitted once, rows are read back as pods. */
import type { Admission } from '../broker/intake.ts';
import type { DesiredKind } from '../broker/topics.ts';
import { admitPod, readTombstone } from '../manifest/admit.ts';
import { manifestDigest, specDigest } from '../manifest/digest.ts';
import { admitWorkload, templatePod } from '../manifest/kinds.ts';
import { parseManifestSync } from '../manifest/parse.ts';
import type { FieldError, Pod } from '../manifest/types.ts';
import type { DesiredSource } from '../pods/deps.ts';
import type { DesiredPod } from '../pods/types.ts';
import type { ObjectSummary, ObjectsTable, StoredObject } from '../store/objects.ts';

/** Reads and validates one manifest as it came from the broker. Synchronous: it runs before the PUBACK. */
export function admitBytes(kind: DesiredKind, bytes: Uint8Array): Admission {
  if (kind !== 'pods') return refuse('kind', `${kind} are not supported by this version of edgepod`);
  const parsed = parseManifestSync(bytes);
  if ('errors' in parsed) return parsed;
  const [raw, ...others] = parsed.objects;
  if (raw === undefined) return refuse('', 'the message has no object in it');
  if (others.length > 0) return refuse('', `the message has ${parsed.objects.length} objects; a topic names one`);
  const found = templatePod(raw);
  if ('errors' in found) return found;
  return readTombstone(found.raw) ? admitTombstone(found.raw) : admitWhole(raw);
}

function admitWhole(raw: unknown): Admission {
  const result = admitWorkload(raw);
  if ('errors' in result) return result;
  return {
    object: result.object as Pod,
    digests: { spec: specDigest(result.pod), manifest: manifestDigest(result.pod) },
    ...generationOf(result.pod.metadata.generation),
    warnings: result.warnings,
  };
}

/** A tombstone need not carry a spec that would be accepted: only its name and times matter. */
function admitTombstone(raw: unknown): Admission {
  const tombstone = readTombstone(raw);
  if (tombstone === undefined) return refuse('metadata.deletionTimestamp', 'Required value');
  if ('errors' in tombstone) return tombstone;
  const { metadata } = tombstone;
  const grace = metadata.deletionGracePeriodSeconds ?? '';
  return {
    object: { apiVersion: 'v1', kind: 'Pod', metadata } as unknown as Pod,
    digests: { spec: '', manifest: `deleted:${metadata.deletionTimestamp}:${grace}` },
    ...generationOf(metadata.generation),
    deletionTimestamp: metadata.deletionTimestamp,
    warnings: [],
  };
}

const generationOf = (generation: number | undefined) => (generation === undefined ? {} : { generation });

function refuse(path: string, reason: string): { errors: FieldError[] } {
  return { errors: [{ path, reason }] };
}

/** The stored manifests as the reconciler wants them. A stored row was valid once; one that no longer is, is left out. */
export class StoredDesired implements DesiredSource {
  #objects: ObjectsTable;
  #onInvalid: (object: StoredObject, errors: FieldError[]) => void;

  constructor(objects: ObjectsTable, onInvalid: (object: StoredObject, errors: FieldError[]) => void) {
    this.#objects = objects;
    this.#onInvalid = onInvalid;
  }

  list(): DesiredPod[] {
    return this.#objects
      .summaries('pods')
      .flatMap(({ namespace, name }: ObjectSummary) => this.get(namespace, name) ?? []);
  }

  get(namespace: string, name: string): DesiredPod | undefined {
    const stored = this.#objects.effectiveOne('pods', namespace, name);
    return stored && this.#read(stored);
  }

  #read(stored: StoredObject): DesiredPod | undefined {
    const {
      namespace,
      name,
      specDigest: spec,
      manifestDigest: manifest,
      generation,
      deletionTimestamp,
      topic,
    } = stored;
    const raw: unknown = JSON.parse(stored.manifest);
    const base = { namespace, name, manifestDigest: manifest, generation, deletionTimestamp, source: topic };
    if (deletionTimestamp !== undefined) return { ...base, pod: raw as Pod, specDigest: spec };
    const result = admitPod(raw);
    if ('errors' in result) {
      this.#onInvalid(stored, result.errors);
      return undefined;
    }
    return { ...base, pod: result.pod, specDigest: specDigest(result.pod) };
  }
}
