import { InputError } from '../errors.ts';
import type { KubernetesObject } from '../kubernetes/index.ts';

/** An object as somebody wrote it down. */
export interface Manifest {
  readonly object: KubernetesObject;
  /** Where it was read, for messages: `k8s/app.yaml, document 2`. */
  readonly origin: string;
}

/** `Deployment shop/app`, for messages. */
export function describeManifest({
  kind,
  metadata: { name, namespace },
}: KubernetesObject): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** The API group of an object, of `apps/v1` it is `apps`; empty for the core's. */
export function groupOf({ apiVersion }: { readonly apiVersion: string }): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}

/** What makes two manifests the same object; the version of an API is only a view of it. */
export function identityOf(object: KubernetesObject): string {
  const { kind, metadata } = object;
  return [groupOf(object), kind, metadata.namespace ?? '', metadata.name].join('/');
}

/** @throws {InputError} if two manifests are the same object: whichever came last would win. */
export function refuseDuplicates(manifests: readonly Manifest[]): void {
  const seen = new Map<string, string>();
  for (const { object, origin } of manifests) {
    const identity = identityOf(object);
    const earlier = seen.get(identity);
    if (earlier !== undefined) {
      throw new InputError(
        `Cannot deploy ${describeManifest(object)}: it is both in ${earlier} and in ${origin}; want it once`,
      );
    }
    seen.set(identity, origin);
  }
}
