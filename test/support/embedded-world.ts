import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { version } from '@reposure/core';
import { names } from '@reposure/core/resource';
import { startCluster } from '@reposure/local/cluster';
import type { LocalCluster, Program, ProgramTable } from '@reposure/local/cluster';

import { ownProgram } from './program.ts';

/** The embedded cluster, with a kubeconfig for programs of their own. */
export interface EmbeddedWorld {
  readonly cluster: LocalCluster;
  readonly directory: string;
  readonly env: Record<string, string>;
  close(): Promise<void>;
}

/** Starts an embedded cluster in which our image is this checkout. */
export async function startEmbeddedWorld(programs: ProgramTable = {}): Promise<EmbeddedWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'embedded-world-'));
  const cluster = await startCluster({
    program: { image: names.image(version), script: ownProgram.script },
    programs: { ...bundledRegistry(), ...programs },
  });
  const kubeconfig = join(directory, 'kubeconfig');
  await writeFile(kubeconfig, cluster.kubeconfig, { mode: 0o600 });
  return {
    cluster,
    directory,
    // Nothing is remembered in the home of whoever runs the tests.
    env: { KUBECONFIG: kubeconfig, XDG_STATE_HOME: join(directory, 'state') },
    close: async () => {
      await cluster.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The embedded registry as the cluster itself would run it, from a bundle. */
function bundledRegistry(): ProgramTable {
  const { registryScript } = ownProgram;
  if (!registryScript) return {};
  const registry: Program = {
    mapped: true,
    command: ({ command, args }) => {
      const isEntryPoint = ['', 'registry', 'entrypoint.sh'].includes(basename(command[0] ?? ''));
      return isEntryPoint ? [process.execPath, registryScript] : [...command, ...args];
    },
    environment: ({ hostPathOf }) => ({
      REGISTRY_HTTP_ADDR: ':5000',
      REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: hostPathOf('/var/lib/registry'),
    }),
  };
  return { 'registry:2': registry, 'registry:3': registry };
}
