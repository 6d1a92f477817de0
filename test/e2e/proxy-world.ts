import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { makeServerCertificate } from '@reposure/core';
import { openCluster } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject } from '@reposure/core/kubernetes';
import { directTransport } from '@reposure/core/registry';
import type { Transport } from '@reposure/core/registry';
import { names } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import { newGatewayKey, signedGateway } from '@reposure/core/surrogate';
import { startRegistry } from '@reposure/local/registry';

import { startTestCluster } from '../../local/src/cluster/api/test/cluster.ts';
import type { TestCluster } from '../../local/src/cluster/api/test/cluster.ts';

/** An API server, a gateway behind its proxy, and a registry behind that. */
export interface ProxyWorld extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly kubernetes: KubernetesClient;
  readonly registry: Registry;
  /** What the gateway knows at this moment. */
  readonly keys: { read: string[]; write: string[] };
  /** The registry itself, with nothing in between. */
  readonly direct: Transport;
  /** The gateway as it is meant to be. */
  readonly gateway: RequestListener;
  /** Puts a program behind the Service, in place of what was there. */
  readonly serve: (listener: RequestListener) => Promise<void>;
  /** Takes away what is behind the Service, its connections with it. */
  readonly stop: () => Promise<void>;
  /** Writes the keys where clients look. */
  publish(keys: { readonly read?: string[]; readonly write?: string[] }): Promise<void>;
  /** The cluster as a user sees it who may do this only. */
  as(rules: readonly object[], name?: string): Promise<KubernetesClient>;
}

const namespace = 'ci';

/** Starts all of it in this process; nobody else's cluster is touched. */
export async function startProxyWorld(): Promise<ProxyWorld> {
  const stack = new AsyncDisposableStack();
  try {
    return await start(stack);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function start(stack: AsyncDisposableStack): Promise<ProxyWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'proxy-world-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const images = await startRegistry({ directory: join(directory, 'registry') });
  stack.defer(() => images.close());
  const direct = directTransport({ host: images.host, insecure: true });
  stack.defer(() => direct.close());
  const behind = await service();
  stack.defer(() => behind.stop());
  const cluster = await startTestCluster({ proxy: async () => behind.address() });
  stack.defer(() => cluster.close());
  const open = async (kubeconfig: string, name: string): Promise<KubernetesClient> => {
    const file = join(directory, name);
    await writeFile(file, kubeconfig, { mode: 0o600 });
    const client = await openCluster({ kubeconfig: file, env: {} });
    stack.defer(() => client.close());
    return client;
  };
  const kubernetes = await open(cluster.kubeconfig, 'admin');
  await kubernetes.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const keys = { read: [newGatewayKey()], write: [newGatewayKey()] };
  const gateway = signedGateway({ upstream: direct, keys: async () => keys });
  await behind.serve(gateway);
  const publish: ProxyWorld['publish'] = async ({ read, write }) => {
    if (read) await kubernetes.apply(secretOf(names.readKey('default'), read));
    if (write) await kubernetes.apply(secretOf(names.writeKey('default'), write));
  };
  await publish(keys);
  let users = 0;
  return {
    cluster,
    kubernetes,
    registry,
    keys,
    direct,
    gateway,
    serve: behind.serve,
    stop: behind.stop,
    publish,
    as: async (rules, name = `user-${++users}`) => {
      await grant(kubernetes, name, rules);
      const token = cluster.tokens.issueToken(namespace, name);
      return await open(cluster.kubeconfig.replace(cluster.tokens.adminToken, token), name);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const registry: Registry = {
  apiVersion: 'reposure.puccini.cloud/v1alpha1',
  kind: 'Registry',
  metadata: { name: 'default', namespace, generation: 1 },
  spec: { type: 'oci' },
};

function secretOf(name: string, [key = '', previous]: readonly string[]): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    stringData: { key, ...(previous && { previous }) },
  };
}

async function grant(
  kubernetes: KubernetesClient,
  name: string,
  rules: readonly object[],
): Promise<void> {
  const metadata = { name, namespace };
  const group = 'rbac.authorization.k8s.io';
  await kubernetes.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  const role: KubernetesObject = { apiVersion: `${group}/v1`, kind: 'Role', metadata, rules };
  await kubernetes.apply(role);
  const binding: KubernetesObject = {
    apiVersion: `${group}/v1`,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: group, kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  };
  await kubernetes.apply(binding);
}

/** A port that speaks TLS with a certificate that nobody trusts, as the surrogate's. */
async function service(): Promise<{
  readonly address: () => { host: string; port: number };
  readonly serve: (listener: RequestListener) => Promise<void>;
  readonly stop: () => Promise<void>;
}> {
  const { certificatePem, keyPem } = await makeServerCertificate({
    dnsNames: ['surrogate'],
    addresses: [],
  });
  let server: ReturnType<typeof createServer> | undefined;
  let port = 1;
  const stop = async (): Promise<void> => {
    const ending = server;
    server = undefined;
    port = 1;
    if (!ending) return;
    const closed = once(ending, 'close');
    ending.close();
    ending.closeAllConnections();
    await closed;
  };
  return {
    address: () => ({ host: '127.0.0.1', port }),
    stop,
    serve: async (listener) => {
      await stop();
      server = createServer({ cert: certificatePem, key: keyPem, requestTimeout: 0 }, listener);
      await once(server.listen(0, '127.0.0.1'), 'listening');
      ({ port } = server.address() as AddressInfo);
    },
  };
}
