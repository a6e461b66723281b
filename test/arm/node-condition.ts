/** What a board's node object says, at the broker. */
import assert from 'node:assert/strict';
import type { NodeCondition } from '../../src/node/conditions.ts';
import type { Device } from './device.ts';

interface Node {
  status: { capacity: Record<string, string>; allocatable: Record<string, string>; conditions: NodeCondition[] };
}

export async function nodeNow(device: Device): Promise<Node> {
  const { code, stdout, stderr } = await device.edgepod(['get', 'devices', device.name, '-o', 'json']);
  assert.equal(code, 0, stderr);
  const found = JSON.parse(stdout) as { node?: Node } & Node;
  return found.node ?? found;
}

export async function nodeCondition(device: Device, type: string): Promise<NodeCondition> {
  const node = await nodeNow(device);
  const found = node.status.conditions.find((condition) => condition.type === type);
  assert.ok(found, `no condition ${type} in ${JSON.stringify(node.status.conditions)}`);
  return found;
}
