import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { silent } from '@reposure/core';
import type { Log } from '@reposure/core';

import { startApiServer } from './api/server.ts';
import type { ApiServer } from './api/server.ts';
import { Store } from './api/store.ts';
import { Tokens } from './api/tokens.ts';
import { kubeconfigOf } from './node/kubeconfig.ts';
import { LocalNode } from './node/local-node.ts';
import { programTable } from './node/program-table.ts';
import type { ProgramTable } from './node/program.ts';

/** What a cluster is started with. */
export interface ClusterOptions {
  /** Our own image, with its tag, and the script that it runs: `cli/bin/reposure.js`. */
  readonly program: { readonly image: string; readonly script: string };
  /** More images that Pods may name. */
  readonly programs?: ProgramTable;
  /** Where its temporary folder is made; the system's by default. */
  readonly directory?: string;
  readonly log?: Log;
  /** Given while the cluster is being started, it takes everything back. */
  readonly signal?: AbortSignal;
}

/** A Kubernetes that runs in this process, its Pods beside it. */
export interface LocalCluster {
  /** YAML with the token of an administrator: write it to files of mode 0600 only. */
  readonly kubeconfig: string;
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  readonly caPem: string;
  readonly store: Store;
  /** Everything it keeps on disk; removed by {@link close}. */
  readonly directory: string;
  /** Ends every process, closes every listener and removes the folder; may be called twice. */
  close(): Promise<void>;
}

/**
 * Starts an empty cluster: an API server, the controllers for workloads and Services, and one node.
 *
 * @throws {UnsupportedError} where this machine has no loopback addresses beside 127.0.0.1.
 * @throws the signal's reason once that is given; nothing is left behind.
 */
export async function startCluster(options: ClusterOptions): Promise<LocalCluster> {
  const closers: Closer[] = [];
  try {
    const cluster = await start(options, closers);
    options.signal?.throwIfAborted();
    return cluster;
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

/** Undoes one thing. Node 22 has no AsyncDisposableStack, and the published program runs on it. */
type Closer = () => void | Promise<void>;

/** Last first, each once; one that fails keeps no other from its turn. */
async function closeAll(closers: Closer[]): Promise<void> {
  const last = closers.pop();
  if (!last) return;
  try {
    await last();
  } finally {
    await closeAll(closers);
  }
}

async function start(options: ClusterOptions, closers: Closer[]): Promise<LocalCluster> {
  const { log = silent, signal } = options;
  const directory = makeDirectory(options.directory ?? tmpdir(), closers);
  const store = new Store();
  const tokens = new Tokens(store);
  const binFolder = join(directory, 'bin');
  const programs = programTable(binFolder, options.program, options.programs);
  // Each needs the other: the node is asked only once a request has come, and asks only then.
  let server: ApiServer | undefined;
  const api = (): ReturnType<typeof accessOf> => accessOf(server, tokens);
  const node = await LocalNode.start({ store, log, directory, binFolder, programs, api });
  closers.push(() => node.close());
  signal?.throwIfAborted();
  const started = await startApiServer({ store, tokens, backends: node.backends });
  server = started;
  const { url, caPem } = started;
  // Before the node, so that nobody watches its end; requests of Pods end with it.
  closers.push(() => started.close());
  return {
    kubeconfig: kubeconfigOf({ url, caPem, token: tokens.adminToken, user: 'kubernetes-admin' }),
    url,
    caPem,
    store,
    directory,
    close: () => closeAll(closers),
  };
}

function makeDirectory(parent: string, closers: Closer[]): string {
  const directory = mkdtempSync(join(parent, 'reposure-cluster-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  // Also where nobody has time to wait.
  process.on('exit', remove);
  closers.push(() => {
    process.off('exit', remove);
    remove();
  });
  return directory;
}

function accessOf(
  server: ApiServer | undefined,
  tokens: Tokens,
): { url: string; caPem: string; issueToken: Tokens['issueToken'] } {
  if (!server) throw new Error('Cannot reach the API: it is not served yet');
  const { url, caPem } = server;
  return {
    url,
    caPem,
    issueToken: (namespace, account) => tokens.issueToken(namespace, account),
  };
}
