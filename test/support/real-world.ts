import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openCluster } from '@reposure/core/kubernetes';
import type { KubernetesClient } from '@reposure/core/kubernetes';
import { resourceTypes } from '@reposure/core/kubernetes';

import { reposureOk } from './cli.ts';

/** A namespace of its own in the cluster that `KUBECONFIG` names. */
export interface RealWorld {
  readonly kubernetes: KubernetesClient;
  readonly namespace: string;
  /** Of this machine, as the cluster's Pods reach it. */
  readonly address: string;
  /** Of a node, where node ports answer. */
  readonly nodeAddress: string;
  /** Runs `reposure` in the namespace. */
  run(...words: readonly string[]): Promise<Buffer>;
  close(): Promise<void>;
}

/** Makes the namespace. @throws {Error} if no cluster is named. */
export async function startRealWorld(): Promise<RealWorld> {
  const { KUBECONFIG: kubeconfig } = process.env;
  if (!kubeconfig) throw new Error('KUBECONFIG names no cluster: these tests need a real one');
  const kubernetes = await openCluster({ kubeconfig });
  const { hostname, port } = new URL(kubernetes.server);
  const namespace = `reposure-e2e-${randomBytes(4).toString('hex')}`;
  const state = await mkdtemp(join(tmpdir(), 'real-world-'));
  await kubernetes.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  return {
    kubernetes,
    namespace,
    address: await localAddressTo(hostname, Number(port)),
    nodeAddress: hostname,
    // Nothing is remembered in the home of whoever runs the tests.
    run: (...words) => reposureOk(['-n', namespace, ...words], { env: { XDG_STATE_HOME: state } }),
    close: async () => {
      await kubernetes.delete(resourceTypes.Namespace, namespace);
      kubernetes.close();
      await rm(state, { recursive: true, force: true });
    },
  };
}

/** The address from which this machine reaches the API server: the way back for its Pods. */
export async function localAddressTo(host: string, port: number): Promise<string> {
  const socket = connect(port, host);
  await once(socket, 'connect');
  const { localAddress = '127.0.0.1' } = socket;
  socket.destroy();
  return localAddress;
}
