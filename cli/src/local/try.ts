import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describeBytes, ReposureError, writeWholeFile } from '@reposure/core';
import { openSink, openSource } from '@reposure/core/content';
import { createRegistry, installOperator, installSimple } from '@reposure/core/install';
import { openCluster } from '@reposure/core/kubernetes';
import type { KubernetesClient } from '@reposure/core/kubernetes';
import type { Registry } from '@reposure/core/resource';
import { openRoute } from '@reposure/core/surrogate';
import type { Route } from '@reposure/core/surrogate';
import { listImages, pull, push } from '@reposure/core/transfer';
import type { LocalCluster } from '@reposure/local/cluster';
import type { Command } from 'commander';

import type { GlobalOptions } from '../environment.ts';
import { interruption } from '../interruption.ts';
import { writeOut } from '../standard-output.ts';
import { startLocalCluster } from './actions.ts';
import { digestAt } from './direct-look.ts';

const namespace = 'default';
const destination = { repository: 'team/app', tags: ['1.2.3'] };

/** The registry does not hold what was pushed. */
class TrialError extends ReposureError {
  override readonly name = 'TrialError';
  readonly code = 'CONTENT_MISMATCH';
}

/** `try [--keep]` */
export async function tryAction(command: Command): Promise<void> {
  const flags = command.optsWithGlobals<GlobalOptions & { keep?: boolean }>();
  const signal = interruption();
  const directory = await mkdtemp(join(tmpdir(), 'reposure-try-'));
  const startedMs = performance.now();
  let cluster: LocalCluster | undefined;
  try {
    cluster = await step('Start a Kubernetes API in this process', () => startLocalCluster(flags));
    const kubeconfig = join(directory, 'kubeconfig');
    await writeWholeFile(kubeconfig, cluster.kubeconfig);
    await say(`      ${cluster.url}; its Pods are processes of this machine`);
    await trial(kubeconfig, directory, signal);
    await say(`\nAll of it worked, in ${((performance.now() - startedMs) / 1000).toFixed(1)} s.`);
    if (flags.keep) await keep(kubeconfig, signal);
  } finally {
    await cluster?.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function trial(kubeconfig: string, directory: string, signal: AbortSignal): Promise<void> {
  const kubernetes = await openCluster({ kubeconfig });
  try {
    await step('Install the operator', () =>
      installOperator(kubernetes, { namespace, wait: true, signal }),
    );
    const { pullHost = '' } = await step('Install a registry that only the cluster can reach', () =>
      installSimple(kubernetes, { namespace, nodePort: true, wait: true, signal }),
    );
    const { registry } = await step('Create a Registry, and wait for its surrogate', () =>
      createRegistry(kubernetes, {
        name: 'default',
        namespace,
        provider: 'simple',
        wait: true,
        signal,
      }),
    );
    await say(`      Pods push to ${registry.status?.pushHost ?? ''}, nodes pull from ${pullHost}`);
    const route = await openRoute({ kubernetes, registry, route: 'exec', signal });
    try {
      await transfer(route, { directory, kubernetes, registry, pullHost, signal });
    } finally {
      await route.close();
    }
  } finally {
    kubernetes.close();
  }
}

interface Trial {
  readonly directory: string;
  readonly kubernetes: KubernetesClient;
  readonly registry: Registry;
  readonly pullHost: string;
  readonly signal: AbortSignal;
}

async function transfer(route: Route, { directory, pullHost, signal }: Trial): Promise<void> {
  const source = await openSource(await makeFolder(join(directory, 'site')));
  const pushed = await step(`Push a folder as an image by ${route.via}`, () =>
    push(route, source, destination, { signal }),
  );
  const again = await step('Push it again: nothing is sent twice', () =>
    push(route, source, destination, { signal }),
  );
  await source.close();
  await say(
    `      ${describeBytes(pushed.bytes.transferred)} travelled, then ${describeBytes(again.bytes.transferred)}`,
  );

  const images = await step('List what the registry has', () => listImages(route, { signal }));
  for (const { repository, tag, digest } of images)
    await say(`      ${repository}:${tag}  ${digest}`);

  const sink = await openSink(`oci:${join(directory, 'pulled')}`);
  const pulled = await step('Pull it again', () =>
    pull(route, { repository: destination.repository, tag: '1.2.3' }, sink, { signal }),
  );
  const look = await step('Ask the registry itself, over plain HTTP at the node port', () =>
    digestAt(`http://${pullHost}`, destination.repository, '1.2.3'),
  );
  const digests = { sent: pushed.digest, pulled: pulled.digest, 'in the registry': look };
  for (const [where, digest] of Object.entries(digests)) await say(`      ${digest}  ${where}`);
  if (new Set(Object.values(digests)).size !== 1) {
    throw new TrialError('Cannot finish: these digests differ, and must not');
  }
}

/** A folder with something in it that cannot be compressed. */
async function makeFolder(folder: string): Promise<string> {
  await mkdir(folder);
  await writeFile(join(folder, 'hello.txt'), 'hello world\n');
  await writeFile(join(folder, 'random.bin'), randomBytes(4 * 1024 * 1024));
  return folder;
}

async function keep(kubeconfig: string, signal: AbortSignal): Promise<void> {
  await say(`
The cluster stays until you press Ctrl-C. In another terminal:

  export KUBECONFIG=${kubeconfig}
  kubectl get registries,pods
  npx reposure image list default
  npx reposure image push default team/notes:1 README.md
`);
  if (!signal.aborted) await once(signal, 'abort');
}

async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  const result = await work();
  await say(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(4)} s  ${title}`);
  return result;
}

function say(line: string): Promise<void> {
  return writeOut(`${line}\n`);
}
