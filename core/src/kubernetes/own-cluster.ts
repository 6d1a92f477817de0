import { silent } from '../log.ts';
import type { ClientOptions, KubernetesClient } from './client.ts';
import { Connection } from './connection.ts';
import { inCluster } from './in-cluster.ts';
import { RestClient } from './rest-client.ts';

/**
 * Opens the cluster that this process runs in, by its Pod's ServiceAccount.
 *
 * @param known Answered itself if it is that cluster's API server; else it is left alone.
 * @returns `undefined` outside of a cluster. The caller closes what is not `known`.
 */
export async function openOwnCluster(
  known: KubernetesClient,
  options: Pick<ClientOptions, 'env' | 'log'> = {},
): Promise<KubernetesClient | undefined> {
  const { env = process.env, log = silent } = options;
  const access = await inCluster(env);
  if (access === undefined) return undefined;
  if (access.server === known.server) return known;
  return new RestClient(new Connection(access, { env, log }));
}
