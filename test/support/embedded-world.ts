import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { version } from '@reposure/core';
import { names } from '@reposure/core/resource';
import { startCluster } from '@reposure/local/cluster';
import type { LocalCluster, ProgramTable } from '@reposure/local/cluster';

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
    program: {
      image: names.image(version),
      script: fileURLToPath(new URL('../../cli/bin/reposure.js', import.meta.url)),
    },
    programs,
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
