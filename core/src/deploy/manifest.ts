import { InputError } from '../errors.ts';
import { groupOf } from '../kubernetes/index.ts';
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

/** `apps/Deployment`, `Service`: a kind, whatever version it is written in. */
export function kindKeyOf({ apiVersion, kind }: KubernetesObject): string {
  const group = groupOf(apiVersion);
  return group ? `${group}/${kind}` : kind;
}

/** What makes two manifests the same object; the version of an API is only a view of it. */
export function identityOf(object: KubernetesObject): string {
  const { apiVersion, kind, metadata } = object;
  return [groupOf(apiVersion), kind, metadata.namespace ?? '', metadata.name].join('/');
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
