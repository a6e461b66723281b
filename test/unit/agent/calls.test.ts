import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type CallParts, registerCalls } from '../../../src/agent/calls/calls.ts';
import { fitting, halves } from '../../../src/agent/calls/fitting.ts';
import type { RpcServer } from '../../../src/broker/rpc.ts';

test('README has a row for every call, and for no other', () => {
  const methods: string[] = [];
  registerCalls({ register: (method: string) => methods.push(method) } as unknown as RpcServer, {} as CallParts);
  const page = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const table = /^\| method \|.*\n\|[-|]+\n((?:\|.*\n)+)/m.exec(page)?.[1] ?? '';
  const rows = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, method]) => method);
  assert.deepEqual(rows.sort(), methods.sort());
});

test('a piece is halved until it fits; what cannot be halved is sent as it is', () => {
  const pieces = (sizes: number[], limit: number) => [
    ...fitting(sizes, (list) => list.reduce((a, b) => a + b, 0) <= limit, halves),
  ];
  assert.deepEqual(pieces([1, 1], 2), [[1, 1]]);
  assert.deepEqual(pieces([1, 1, 1, 1, 1], 2), [[1, 1], [1], [1, 1]]);
  assert.deepEqual(pieces([9, 1], 2), [[9], [1]]);
  assert.deepEqual(pieces([], 2), [[]]);
});
