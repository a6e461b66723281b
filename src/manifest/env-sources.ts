/** The variables a container's `env` and `envFrom` define, with what they are taken from (kubelet makeEnvironment). Pure. */
import { fieldValue, type PodFacts, resourceValue } from './downward.ts';
import { expandReferences } from './env.ts';
import { fileVariables } from './env-file.ts';
import type { Container } from './types/container.ts';
import type { EnvFromSource, EnvVarSource, FileKeyRef, KeyRef } from './types/env.ts';
import type { ConfigMap, Secret } from './types/objects.ts';
import type { Pod } from './types/pod.ts';

/** ConfigMaps and Secrets of the pod's namespace. */
export interface NamespaceObjects {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
}

/** A variable that cannot be had: status reason CreateContainerConfigError, until the object arrives. */
export class EnvSourceError extends Error {
  readonly code = 'CreateContainerConfigError';
}

export interface VariablesInput {
  pod: Pod;
  container: Container;
  objects: NamespaceObjects;
  facts: PodFacts;
  /** What the file in the emptyDir holds; undefined when there is none. Throws EnvSourceError for one that is no file. */
  file: (volumeName: string, path: string) => string | undefined;
}

/** Keys of an envFrom source that are no names of variables, as the kubelet's event tells them. */
export type SkippedKeys = { source: string; keys: string[] };

const VARIABLE_NAME = /^[ -<>-~]+$/;

/**
 * In the order of definition: `envFrom` first, `env` after it and over it. `$(VAR)` is replaced in written values only
 * and sees everything defined before. Throws EnvSourceError for a missing object or key that is not optional.
 */
export function containerVariablesFrom(input: VariablesInput): {
  variables: Map<string, string>;
  skipped: SkippedKeys[];
} {
  const variables = new Map<string, string>();
  const skipped: SkippedKeys[] = [];
  for (const source of input.container.envFrom) addAll(variables, skipped, source, input);
  for (const { name, value = '', valueFrom } of input.container.env) {
    const resolved = valueFrom === undefined ? expandReferences(value, variables) : sourcedValue(valueFrom, input);
    if (resolved !== undefined) variables.set(name, withoutNul(name, resolved));
  }
  return { variables, skipped };
}

function addAll(
  variables: Map<string, string>,
  skipped: SkippedKeys[],
  { prefix, configMapRef, secretRef }: EnvFromSource,
  { objects, pod }: VariablesInput,
): void {
  const { name, optional } = (configMapRef ?? secretRef) as { name: string; optional: boolean };
  const data = configMapRef ? objects.configMap(name)?.data : secretTexts(objects.secret(name));
  const kind = configMapRef ? 'configMap' : 'secret';
  if (data === undefined) {
    if (optional) return;
    throw new EnvSourceError(`${kind.toLowerCase()} "${name}" not found`);
  }
  const invalid: string[] = [];
  for (const key of Object.keys(data).sort()) {
    const variable = prefix + key;
    if (VARIABLE_NAME.test(variable)) variables.set(variable, withoutNul(variable, data[key] as string));
    else invalid.push(variable);
  }
  if (invalid.length > 0) skipped.push({ source: `${kind} ${pod.metadata.namespace}/${name}`, keys: invalid });
}

/** Undefined: optional, and not there; the variable is not defined then. */
function sourcedValue(source: EnvVarSource, input: VariablesInput): string | undefined {
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef, fileKeyRef } = source;
  const { pod, container, objects, facts } = input;
  const { namespace } = pod.metadata;
  if (fieldRef) return fieldValue(pod, fieldRef, facts);
  if (resourceFieldRef) return resourceValue(pod, resourceFieldRef, { facts, self: container.name });
  if (configMapKeyRef)
    return keyOf(configMapKeyRef, objects.configMap(configMapKeyRef.name)?.data, { kind: 'ConfigMap', namespace });
  if (fileKeyRef) return fileKey(fileKeyRef, input.file(fileKeyRef.volumeName, fileKeyRef.path));
  const ref = secretKeyRef as KeyRef;
  return keyOf(ref, secretTexts(objects.secret(ref.name)), { kind: 'Secret', namespace });
}

function fileKey({ path, key, optional }: FileKeyRef, text: string | undefined): string | undefined {
  const value = text === undefined ? undefined : fileVariables(text).get(key);
  if (value !== undefined || optional) return value;
  if (text === undefined) throw new EnvSourceError(`file "${path}" not found`);
  throw new EnvSourceError(`environment variable key "${key}" not found in file "${path}"`);
}

function keyOf(
  { name, key, optional }: KeyRef,
  data: Record<string, string> | undefined,
  { kind, namespace }: { kind: string; namespace: string },
): string | undefined {
  if (data && Object.hasOwn(data, key)) return data[key];
  if (optional) return undefined;
  if (data === undefined) throw new EnvSourceError(`${kind.toLowerCase()} "${name}" not found`);
  throw new EnvSourceError(`couldn't find key ${key} in ${kind} ${namespace}/${name}`);
}

function secretTexts(secret: Secret | undefined): Record<string, string> | undefined {
  if (secret === undefined) return undefined;
  const entries = Object.entries(secret.data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
  return Object.fromEntries(entries) as Record<string, string>;
}

/** It would end the variable there, and what follows would be read as the next one. */
function withoutNul(name: string, value: string): string {
  if (value.includes('\0'))
    throw new EnvSourceError(`the value of variable ${name} has a NUL byte: mount it as a file`);
  return value;
}
