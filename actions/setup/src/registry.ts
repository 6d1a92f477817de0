import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { forInputs } from '@reposure/action-shared';
import type { Step } from '@reposure/action-shared';
import { explain } from '@reposure/core';
import { createRegistry, installSimple, waitForRegistry } from '@reposure/core/install';
import type { KubernetesClient } from '@reposure/core/kubernetes';
import type { Registry } from '@reposure/core/resource';
import { registryCa } from '@reposure/core/surrogate';

import type { Inputs } from './inputs.ts';

/** A Registry that images can be pushed to: the one that is there, or the one that the inputs describe. */
export async function readyRegistry(
  cluster: KubernetesClient,
  inputs: Inputs,
  { log, signal }: Pick<Step, 'log' | 'signal'>,
): Promise<Registry> {
  const { host, registry: name, simple, timeout: timeoutMs } = inputs;
  const namespace = inputs.namespace ?? cluster.namespace;
  const way = { name, namespace, wait: true, timeoutMs, log, signal };
  if (simple) await installSimple(cluster, { ...way, nodePort: true });
  const provider = inputs.provider ?? (simple ? 'simple' : undefined);
  if (provider === undefined && host === undefined) {
    return await forInputs(['registry', 'namespace'], () => waitForRegistry(cluster, way));
  }
  const { registry } = await createRegistry(cluster, { ...way, provider, host });
  return registry;
}

/** A file with the certificates by which clients trust the registry. @returns '' if there are none to be had. */
export async function writeCa(
  kubernetes: KubernetesClient,
  registry: Registry,
  { folder, log, signal }: Pick<Step, 'folder' | 'log' | 'signal'>,
): Promise<string> {
  try {
    const ca = await registryCa({ kubernetes, registry, signal });
    if (ca === undefined) return '';
    const path = join(folder, 'ca.crt');
    await writeFile(path, ca);
    return path;
  } catch (error) {
    // Who may push need not be allowed to read Secrets; the output is for clients of another kind.
    log.info(`The output "ca-file" stays empty: ${explain(error)}`);
    return '';
  }
}
