import { silent } from '../log.ts';
import type { ClientOptions, KubernetesClient } from './client.ts';
import { Connection } from './connection.ts';
import { loadAccess } from './kubeconfig.ts';
import { RestClient } from './rest-client.ts';

/**
 * Opens the cluster that kubectl would use; nothing is sent yet.
 *
 * @throws {KubeconfigError} if there is none, or the kubeconfig makes no sense.
 */
export async function openCluster(options: ClientOptions = {}): Promise<KubernetesClient> {
  const { env = process.env, log = silent, onAnswer } = options;
  return new RestClient(new Connection(await loadAccess(options), { env, log, onAnswer }));
}
