import type { Cluster, User } from './kubeconfig-schema.ts';

/** One way to one cluster, everything looked up. */
export interface Access {
  /** Where this was written, for messages: file names, or the Pod's ServiceAccount. */
  readonly source: string;
  readonly contextName: string;
  readonly clusterName: string;
  readonly userName: string;
  readonly namespace: string;
  /** URL of the API server without a trailing slash; it may have a path. */
  readonly server: string;
  readonly cluster: Cluster;
  readonly user: User;
}
