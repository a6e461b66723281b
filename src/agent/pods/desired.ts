/** Desired pods between the store and the reconciler: rows are read back as pods. */
import { admitPod } from '../../manifest/admit.ts';
import { specDigest } from '../../manifest/digest.ts';
import type { FieldError } from '../../manifest/types/field-error.ts';
import type { Pod } from '../../manifest/types/pod.ts';
import type { DesiredSource } from '../../pods/deps.ts';
import type { DesiredPod } from '../../pods/types.ts';
import type { ObjectSummary, ObjectsTable, StoredObject } from '../../store/objects.ts';

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
