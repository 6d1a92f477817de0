/** When a node pulls an image, as Kubernetes has it. */
export const imagePullPolicies = ['Always', 'IfNotPresent', 'Never'] as const;
/** One of {@link imagePullPolicies}. */
export type ImagePullPolicy = (typeof imagePullPolicies)[number];

/** How nodes come by the images of Pods that we make; Kubernetes' own defaults where nothing is said. */
export interface ImagePull {
  readonly imagePullPolicy?: ImagePullPolicy | undefined;
  /** Secrets in the Pods' namespace. */
  readonly imagePullSecrets?: readonly string[] | undefined;
}

/** What a container says of it. */
export function containerPull({ imagePullPolicy }: ImagePull): Record<string, unknown> {
  return imagePullPolicy === undefined ? {} : { imagePullPolicy };
}

/** What a Pod says of it. */
export function podPull({ imagePullSecrets = [] }: ImagePull): Record<string, unknown> {
  return imagePullSecrets.length === 0
    ? {}
    : { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) };
}
