/** What the types of Kubernetes' own Secrets must hold (`ValidateSecret`). */
import type { Secret } from '../types/objects.ts';
import { type Issues, member } from './issues.ts';

const DOCKER_CONFIG = '.dockerconfigjson';
const SERVICE_ACCOUNT = 'kubernetes.io/service-account.name';

const KEYS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    'kubernetes.io/dockercfg': ['.dockercfg'],
    'kubernetes.io/dockerconfigjson': [DOCKER_CONFIG],
    'kubernetes.io/ssh-auth': ['ssh-privatekey'],
    'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  }),
);

export function checkSecretType(issues: Issues, { type, data, metadata }: Secret): void {
  const keys = KEYS.get(type) ?? [];
  for (const key of keys)
    if (!Object.hasOwn(data, key)) issues.required(member('data', key), `a Secret of type ${type} has it`);
  for (const key of ['.dockercfg', DOCKER_CONFIG])
    if (keys.includes(key) && Object.hasOwn(data, key) && !isJson(data[key]!))
      issues.error(member('data', key), 'Invalid value: must be JSON');
  if (type === 'kubernetes.io/basic-auth' && !Object.hasOwn(data, 'username') && !Object.hasOwn(data, 'password'))
    issues.required('data.username', `or data.password: a Secret of type ${type} has one of them`);
  if (type === 'kubernetes.io/service-account-token' && !metadata.annotations?.[SERVICE_ACCOUNT])
    issues.required(member('metadata.annotations', SERVICE_ACCOUNT));
}

function isJson(base64: string): boolean {
  try {
    JSON.parse(Buffer.from(base64, 'base64').toString());
    return true;
  } catch {
    return false;
  }
}
