import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';

import { InputError, version, writeWholeFile } from '@reposure/core';
import { names } from '@reposure/core/resource';
import { startCluster } from '@reposure/local/cluster';
import type { LocalCluster } from '@reposure/local/cluster';
import { startRegistry } from '@reposure/local/registry';
import type { Command } from 'commander';

import { logTo } from '../environment.ts';
import type { GlobalOptions } from '../environment.ts';
import { interruption } from '../interruption.ts';
import { writeOut } from '../standard-output.ts';

/** An embedded cluster in which our own image is this checkout. */
export async function startLocalCluster(options: {
  readonly verbose?: boolean;
}): Promise<LocalCluster> {
  return startCluster({
    program: {
      image: names.image(version),
      script: createRequire(import.meta.url).resolve('#program'),
    },
    log: { ...logTo(options.verbose ?? false), info: () => {} },
  });
}

/** `local up --kubeconfig FILE` */
export async function localUpAction(command: Command): Promise<void> {
  const { verbose = false, kubeconfig } = command.optsWithGlobals<GlobalOptions>();
  if (!kubeconfig)
    throw new InputError('Cannot start: want --kubeconfig FILE, where the kubeconfig is written');
  const signal = interruption();
  const cluster = await startLocalCluster({ verbose });
  try {
    await writeWholeFile(kubeconfig, cluster.kubeconfig);
    process.stderr.write(
      `Kubernetes API at ${cluster.url}; export KUBECONFIG=${kubeconfig}; Ctrl-C ends it\n`,
    );
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await rm(kubeconfig, { force: true });
    await cluster.close();
  }
}

/** The options of `local registry`. */
export interface LocalRegistryFlags {
  readonly directory: string;
  readonly port: number;
  readonly address: string;
}

/** `local registry --directory DIR --port N` */
export async function localRegistryAction(options: LocalRegistryFlags): Promise<void> {
  const signal = interruption();
  const { directory, port, address } = options;
  const registry = await startRegistry({ directory, port, host: address });
  try {
    await writeOut(`${registry.host}\n`);
    process.stderr.write(
      `OCI registry at http://${registry.host}, blobs in ${directory}; Ctrl-C ends it\n`,
    );
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await registry.close();
  }
}
