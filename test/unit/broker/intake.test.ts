import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Admission, type Admitted, decideIntake, type InForce } from '../../../src/broker/intake.ts';

const key = { kind: 'pods', namespace: 'default', name: 'web', source: 'device' } as const;
const stored: InForce = { specDigest: 's1', manifestDigest: 'm1', generation: 5, deletionTimestamp: undefined };
const dead: InForce = { ...stored, deletionTimestamp: '2026-01-01T00:00:00Z' };

function admitted(changes: Partial<Admitted> = {}): Admitted {
  return { object: { metadata: { name: 'web' } }, digests: { spec: 's1', manifest: 'm1' }, warnings: [], ...changes };
}

interface Row {
  name: string;
  admission?: Admission;
  stored?: InForce;
  payload?: string;
  retained?: boolean;
  action: string;
  changed?: string;
  errorPath?: string;
}

const other = { spec: 's2', manifest: 'm2' };
const rows: Row[] = [
  { name: 'the first manifest', action: 'put', changed: 'new' },
  { name: 'the same again', stored, action: 'same' },
  { name: 'the same, of the same generation', stored, admission: admitted({ generation: 5 }), action: 'same' },
  { name: 'the same, of a lower generation', stored, admission: admitted({ generation: 4 }), action: 'same' },
  {
    name: 'the same, of a higher generation',
    stored,
    admission: admitted({ generation: 6 }),
    action: 'put',
    changed: 'metadata',
  },
  { name: 'another spec', stored, admission: admitted({ digests: other }), action: 'put', changed: 'spec' },
  {
    name: 'other labels only',
    stored,
    admission: admitted({ digests: { spec: 's1', manifest: 'm2' } }),
    action: 'put',
    changed: 'metadata',
  },
  {
    name: 'a lower generation',
    stored,
    admission: admitted({ digests: other, generation: 4 }),
    action: 'stale',
    errorPath: 'metadata.generation',
  },
  {
    name: 'a tombstone of a lower generation',
    stored,
    admission: admitted({ digests: other, generation: 4, deletionTimestamp: 'x' }),
    action: 'stale',
    errorPath: 'metadata.generation',
  },
  {
    name: 'an equal generation with another spec',
    stored,
    admission: admitted({ digests: other, generation: 5 }),
    action: 'put',
    changed: 'spec',
  },
  {
    name: 'a higher generation',
    stored,
    admission: admitted({ digests: other, generation: 6 }),
    action: 'put',
    changed: 'spec',
  },
  {
    name: 'a tombstone',
    stored,
    admission: admitted({ digests: { spec: 's1', manifest: 'm2' }, deletionTimestamp: 'x' }),
    action: 'put',
    changed: 'tombstone',
  },
  {
    name: 'a tombstone for nothing (its pod may still run)',
    admission: admitted({ deletionTimestamp: 'x' }),
    action: 'put',
    changed: 'tombstone',
  },
  {
    name: 'another tombstone',
    stored: dead,
    admission: admitted({ digests: other, deletionTimestamp: 'y' }),
    action: 'put',
    changed: 'metadata',
  },
  {
    name: 'wanted again after its tombstone',
    stored: dead,
    admission: admitted({ digests: { spec: 's1', manifest: 'm2' } }),
    action: 'put',
    changed: 'new',
  },
  { name: 'cleared live', stored, payload: '', action: 'deleted' },
  { name: 'cleared live, nothing there', payload: '', action: 'ignored' },
  { name: 'cleared, but a replay', stored, payload: '', retained: true, action: 'ignored' },
  {
    name: 'refused by the validator',
    stored,
    admission: { errors: [{ path: 'spec.x', reason: 'no' }] },
    action: 'rejected',
    errorPath: 'spec.x',
  },
  { name: 'too large', stored, payload: 'x'.repeat(101), action: 'rejected', errorPath: '' },
  {
    name: 'another name than the topic’s',
    admission: admitted({ object: { metadata: { name: 'db' } } }),
    action: 'rejected',
    errorPath: 'metadata.name',
  },
  {
    name: 'another namespace than the topic’s',
    admission: admitted({ object: { metadata: { name: 'web', namespace: 'prod' } } }),
    action: 'rejected',
    errorPath: 'metadata.namespace',
  },
];

describe('decideIntake', () => {
  for (const { name, admission = admitted(), payload = '{}', retained = false, ...row } of rows) {
    test(name, () => {
      const decision = decideIntake({
        key,
        payload: Buffer.from(payload),
        maxBytes: 100,
        retained,
        stored: row.stored,
        admit: () => admission,
      });
      assert.equal(decision.action, row.action);
      assert.equal('changed' in decision ? decision.changed : undefined, row.changed);
      assert.equal('errors' in decision ? decision.errors[0]?.path : undefined, row.errorPath);
    });
  }

  test('what is too large is not parsed', () => {
    const admit = () => assert.fail('parsed');
    const payload = Buffer.alloc(101);
    assert.equal(
      decideIntake({ key, payload, maxBytes: 100, retained: true, stored: undefined, admit }).action,
      'rejected',
    );
  });
});
