/** Bytes from the broker to objects the store takes: every manifest is read and validated here, once. */
import { type Admission, type Admit, type Admitted, IMMUTABLE } from '../../broker/intake.ts';
import type { DesiredKind } from '../../broker/topics.ts';
import { readTombstone } from '../../manifest/admit.ts';
import { admitConfigMap, admitSecret } from '../../manifest/admit-data.ts';
import { canonicalJson, manifestDigest, specDigest } from '../../manifest/digest.ts';
import { admitWorkload, templatePod } from '../../manifest/kinds.ts';
import { parseManifestSync } from '../../manifest/parse.ts';
import type { FieldError } from '../../manifest/types/field-error.ts';
import type { ConfigMap, Secret } from '../../manifest/types/objects.ts';
import type { Pod } from '../../manifest/types/pod.ts';

/** Digests for data objects, under a key of this board: a plain digest would let the values of Secrets be guessed. */
type Digest = (content: string) => string;

const KINDS = { pods: 'Pod', configmaps: 'ConfigMap', secrets: 'Secret' } as const satisfies Record<
  DesiredKind,
  string
>;

/** The inbox's gate. Synchronous: it runs before the PUBACK. */
export function admission(digest: Digest): Admit {
  return (kind, bytes) => {
    const parsed = parseManifestSync(bytes);
    if ('errors' in parsed) return kind === 'secrets' ? { errors: parsed.errors.map(withoutQuotes) } : parsed;
    const [raw, ...others] = parsed.objects;
    if (raw === undefined) return refuse('', 'the message has no object in it');
    if (others.length > 0) return refuse('', `the message has ${parsed.objects.length} objects; a topic names one`);
    const found = kind === 'pods' ? templatePod(raw) : { raw };
    if ('errors' in found) return found;
    const tombstone = readTombstone(found.raw, { kind: KINDS[kind] });
    if (tombstone) return 'errors' in tombstone ? tombstone : admitTombstone(kind, tombstone.metadata);
    return kind === 'pods' ? admitWholePod(raw) : admitData(kind, raw, digest);
  };
}

function admitWholePod(raw: unknown): Admission {
  const result = admitWorkload(raw);
  if ('errors' in result) return result;
  return {
    object: result.object as Pod,
    digests: { spec: specDigest(result.pod), manifest: manifestDigest(result.pod) },
    ...generationOf(result.pod.metadata.generation),
    warnings: result.warnings,
  };
}

function admitData(kind: 'configmaps' | 'secrets', raw: unknown, digest: Digest): Admission {
  const result = kind === 'secrets' ? admitSecret(raw) : admitConfigMap(raw);
  if ('errors' in result) return result;
  const { object, warnings } = result;
  const { labels, annotations, generation } = object.metadata;
  const content = digest(canonicalJson({ ...object, metadata: {} }));
  return {
    object: raw as ConfigMap | Secret,
    digests: {
      spec: object.immutable ? IMMUTABLE + content : content,
      manifest: digest(canonicalJson([content, labels, annotations])),
    },
    ...generationOf(generation),
    warnings,
  };
}

/** A tombstone need not carry a spec that would be accepted: only its name and times matter. */
function admitTombstone(kind: DesiredKind, metadata: Pod['metadata'] & { deletionTimestamp: string }): Admitted {
  const grace = metadata.deletionGracePeriodSeconds ?? '';
  return {
    object: { apiVersion: 'v1', kind: KINDS[kind], metadata } as unknown as Pod,
    digests: { spec: '', manifest: `deleted:${metadata.deletionTimestamp}:${grace}` },
    ...generationOf(metadata.generation),
    deletionTimestamp: metadata.deletionTimestamp,
    warnings: [],
  };
}

/** A parser may quote what it stumbled over, which in a Secret is not for the log. */
const withoutQuotes = ({ path, reason }: FieldError): FieldError => ({ path, reason: reason.replace(/["'`].*/s, '…') });

const generationOf = (generation: number | undefined) => (generation === undefined ? {} : { generation });

function refuse(path: string, reason: string): { errors: FieldError[] } {
  return { errors: [{ path, reason }] };
}
