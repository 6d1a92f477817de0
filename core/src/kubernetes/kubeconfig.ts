import type { Access } from './access.ts';
import type { ClientOptions } from './client.ts';
import { inCluster } from './in-cluster.ts';
import { KubeconfigError } from './kubeconfig-error.ts';
import { readKubeconfigs } from './kubeconfig-file.ts';
import type { MergedKubeconfig } from './kubeconfig-file.ts';
import { kubeconfigPaths } from './kubeconfig-paths.ts';
import { User } from './kubeconfig-schema.ts';
import type { Cluster } from './kubeconfig-schema.ts';

/**
 * Finds the cluster that kubectl would use: the given files, else `~/.kube/config`, else the
 * ServiceAccount of the Pod that we run in.
 *
 * @param serviceAccountFolder Where Kubernetes mounts it into a Pod.
 * @throws {KubeconfigError} if there is none, or what there is makes no sense.
 */
export async function loadAccess(
  options: Pick<ClientOptions, 'kubeconfig' | 'context' | 'env'>,
  serviceAccountFolder?: string,
): Promise<Access> {
  const env = options.env ?? process.env;
  const paths = await kubeconfigPaths(options.kubeconfig, env);
  const merged = await readKubeconfigs(paths);
  // Only an empty kubeconfig makes way for the ServiceAccount, and never one that was asked for by context.
  if (merged.clusters.size === 0 && merged.contexts.size === 0 && !options.context) {
    const access = await inCluster(env, serviceAccountFolder);
    if (access) return access;
  }
  if (merged.files.length === 0) throw nothingThere(paths);
  return accessOf(merged, options.context);
}

function nothingThere(paths: readonly string[]): KubeconfigError {
  return new KubeconfigError(
    `Cannot find a cluster: there is no ${paths.join(', nor ')}, and this is no Pod with a ServiceAccount; ` +
      'set KUBECONFIG or --kubeconfig to a kubeconfig file',
  );
}

type Problem = (state: string, nextStep: string) => KubeconfigError;

function accessOf(merged: MergedKubeconfig, wanted: string | undefined): Access {
  const source = merged.files.join(', ');
  const problem: Problem = (state, nextStep) =>
    new KubeconfigError(`Cannot use kubeconfig ${source}: ${state}; ${nextStep}`);
  const contextName = wanted ?? merged.currentContext;
  if (!contextName) {
    const known = listOf(merged.contexts);
    throw problem('it has no current-context', `choose one with --context (there are: ${known})`);
  }
  const context = entryOf(merged.contexts, contextName, () =>
    problem(`it has no context "${contextName}"`, `want one of: ${listOf(merged.contexts)}`),
  );
  const dangling = (
    kind: string,
    name: string,
    among: ReadonlyMap<string, unknown>,
  ): KubeconfigError =>
    problem(
      `its context "${contextName}" refers to the ${kind} "${name}", which is not there`,
      `want one of: ${listOf(among)}`,
    );
  const { cluster: clusterName = '', user: userName = '', namespace = 'default' } = context;
  const cluster = entryOf(merged.clusters, clusterName, () =>
    dangling('cluster', clusterName, merged.clusters),
  );
  // A context without a user is fine: the cluster then treats us as anonymous.
  const user = userName
    ? entryOf(merged.users, userName, () => dangling('user', userName, merged.users))
    : User.parse({});
  const server = serverOf(cluster, (state) =>
    problem(`cluster "${clusterName}" ${state}`, wantServer),
  );
  return { source, contextName, clusterName, userName, namespace, server, cluster, user };
}

function entryOf<T>(map: ReadonlyMap<string, T>, name: string, missing: () => Error): T {
  const entry = map.get(name);
  if (!entry) throw missing();
  return entry;
}

function listOf(map: ReadonlyMap<string, unknown>): string {
  return [...map.keys()].join(', ') || 'none';
}

const wantServer = 'want e.g. server: https://cluster.example:6443';

function serverOf(cluster: Cluster, problem: (state: string) => KubeconfigError): string {
  if (!cluster.server) throw problem('has no server');
  // kubectl takes a bare host, too.
  const text = cluster.server.includes('://') ? cluster.server : `https://${cluster.server}`;
  if (!URL.canParse(text)) throw problem('has a server that is no URL');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw problem(`has a server with the scheme "${url.protocol}"`);
  }
  if (url.username || url.password) throw problem('has a server with a login in it');
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}
