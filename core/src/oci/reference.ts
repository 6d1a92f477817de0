import { parseDigest } from './digest.ts';
import type { Digest } from './digest.ts';

/** `repository[:tag][@digest]`, without the registry. */
export interface Target {
  readonly repository: string;
  readonly tag?: string | undefined;
  readonly digest?: Digest | undefined;
}

/** `registry/repository[:tag][@digest]`. */
export interface Reference extends Target {
  /** `host[:port]` */
  readonly registry: string;
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^\w[\w.-]{0,127}$/;

/**
 * Whether a registry accepts `text` as a repository's name.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
 */
export function isRepository(text: string): boolean {
  return text.length <= 255 && repositoryPattern.test(text);
}

/** Whether a registry accepts `text` as a tag. */
export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/**
 * Parses `repository[:tag][@digest]`, as it is named inside one registry.
 *
 * @throws {SyntaxError} if a part is not what registries accept.
 */
export function parseTarget(text: string): Target {
  const [named = '', digest, ...more] = text.split('@');
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const repository = hasTag ? named.slice(0, colon) : named;
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  const fail = (why: string): never => {
    throw new SyntaxError(`Cannot parse image name "${text}": ${why}`);
  };
  if (!isRepository(repository)) {
    fail(
      `the repository "${repository}" wants lower-case letters, digits and single . _ - between them, parts divided by /`,
    );
  }
  if (tag !== undefined && !isTag(tag)) {
    fail(`the tag "${tag}" wants at most 128 letters, digits, _ . - and no . or - in front`);
  }
  if (more.length > 0) fail('it has more than one digest');
  return {
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest: parseDigest(digest) }),
  };
}

/**
 * Parses `registry/repository[:tag][@digest]`; the registry must be written out (a dot, a port or
 * `localhost`): nothing is ever taken for Docker Hub by omission.
 *
 * @throws {SyntaxError} if a part is missing or not what registries accept.
 */
export function parseReference(text: string): Reference {
  const slash = text.indexOf('/');
  const registry = text.slice(0, Math.max(slash, 0));
  if (!/^(?:localhost|[\w-]+(?:\.[\w-]+)+|\[[\da-f:]+\])(?::\d+)?$|^[\w-]+:\d+$/i.test(registry)) {
    throw new SyntaxError(
      `Cannot parse reference "${text}": want registry/repository[:tag][@digest]`,
    );
  }
  return { registry, ...parseTarget(text.slice(slash + 1)) };
}

/** `[registry/]repository[:tag][@digest]`. */
export function describeReference({
  registry,
  repository,
  tag,
  digest,
}: Target & { readonly registry?: string }): string {
  return [
    registry ? `${registry}/` : '',
    repository,
    tag ? `:${tag}` : '',
    digest ? `@${digest}` : '',
  ].join('');
}
