/**
 * Image references as docker and Kubernetes read them (distribution/reference): `nginx` is `docker.io/library/nginx:latest`.
 * Pure.
 */
import { ImageError } from './errors.ts';

export interface Reference {
  /** Host, and port if there is one: `docker.io`, `localhost`, `registry.example:5000`. */
  registry: string;
  repository: string;
  tag?: string;
  /** `sha256:…`; with it the tag says nothing. */
  digest?: string;
}

const MAX_LENGTH = 512;
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const REGISTRY =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::\d{1,5})?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** @throws ImageError InvalidImageName that says which part is wrong */
export function parseReference(text: string): Reference {
  if (text === '' || text.length > MAX_LENGTH) throw invalid(text, `must have 1 to ${MAX_LENGTH} characters`);
  const [named = '', digest, ...rest] = text.split('@');
  if (rest.length > 0 || (digest !== undefined && !DIGEST.test(digest)))
    throw invalid(text, 'the digest must be sha256:<64 hex digits>');
  const colon = named.lastIndexOf(':');
  const tagged = colon > named.lastIndexOf('/');
  const tag = tagged ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !TAG.test(tag)) throw invalid(text, `"${tag}" is not a tag`);
  const { registry, repository } = splitRegistry(tagged ? named.slice(0, colon) : named);
  if (!REGISTRY.test(registry)) throw invalid(text, `"${registry}" is not a registry`);
  if (!REPOSITORY.test(repository))
    throw invalid(text, `"${repository}" is not a repository: lower-case letters, digits and separators`);
  return { registry, repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/** The one spelling under which images are stored: registry/repository:tag, or @digest. */
export function normalise(text: string): string {
  const { registry, repository, tag, digest } = parseReference(text);
  return `${registry}/${repository}${digest === undefined ? `:${tag ?? 'latest'}` : `@${digest}`}`;
}

/** As people write it: without docker.io/library/. */
export function familiar(normalised: string): string {
  return normalised.replace(/^docker\.io\/(library\/)?/, '');
}

/** A first part is a registry only if it could not be a user name: it has a dot or a port, or is localhost. */
function splitRegistry(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  if (first === 'localhost' || /[.:]/.test(first)) {
    const registry = first === 'index.docker.io' ? 'docker.io' : first;
    return { registry, repository: official(registry, name.slice(slash + 1)) };
  }
  return { registry: 'docker.io', repository: official('docker.io', name) };
}

function official(registry: string, repository: string): string {
  return registry === 'docker.io' && !repository.includes('/') ? `library/${repository}` : repository;
}

function invalid(text: string, reason: string): ImageError {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return new ImageError('InvalidImageName', `image "${shown}": ${reason}`);
}
