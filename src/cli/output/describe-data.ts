/** The text of `describe configmap` and `describe secret`; a Secret's values are only counted. */
import type { DesiredObject } from '../../client/desired-objects.ts';
import { field, pairs } from './fields.ts';

export function describeConfigMap({ source, object }: DesiredObject): string {
  const { data = {}, binaryData = {} } = object;
  const lines = [
    ...head(source, object),
    '',
    'Data',
    '====',
    ...Object.entries(data).flatMap(([key, text]) => [`${key}:`, '----', text, '']),
    '',
    'BinaryData',
    '====',
    ...Object.entries(binaryData).map(([key, base64]) => `${key}: ${bytesOf(base64)} bytes`),
  ];
  return `${lines.join('\n')}\n`;
}

export function describeSecret({ source, object }: DesiredObject): string {
  const { type = 'Opaque', data = {}, stringData = {} } = object;
  const sizes = new Map([
    ...Object.entries(data).map(([key, base64]) => [key, bytesOf(base64)] as const),
    ...Object.entries(stringData).map(([key, text]) => [key, Buffer.byteLength(text)] as const),
  ]);
  const lines = [
    ...head(source, object),
    '',
    field('Type', type),
    '',
    'Data',
    '====',
    ...[...sizes].map(([key, bytes]) => `${`${key}:`.padEnd(16)}${bytes} bytes`),
  ];
  return `${lines.join('\n')}\n`;
}

function head(source: string, { metadata }: DesiredObject['object']): string[] {
  return [
    field('Name', metadata.name),
    field('Namespace', metadata.namespace),
    field('Source', source),
    field('Labels', pairs(metadata.labels)),
    field('Annotations', pairs(metadata.annotations)),
  ];
}

const bytesOf = (base64: string) => Buffer.from(base64, 'base64').length;
