import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { reposureOk } from '../support/cli.ts';
import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { startRelay } from '../support/relay.ts';
import type { Relay, RelayOptions } from '../support/relay.ts';

/** An embedded cluster that the command line reaches through a relay, and a registry the same way. */
export interface RelayedWorld {
  readonly directory: string;
  /** With a kubeconfig that leads through the relay, and a state of its own. */
  readonly env: Record<string, string>;
  /** Between the command line and what the route `exec` reaches. */
  readonly toCluster: Relay;
  /** Between the command line and what the route `direct` reaches. */
  readonly toRegistry: Relay;
  /** The registry itself, `ADDRESS:PORT`, for whoever wants to know what it has. */
  readonly origin: string;
  close(): Promise<void>;
}

/** The Registry for the route `exec`; its Pods are in the cluster. */
export const inside = 'inside';
/** The Registry for the route `direct`: the same registry, through the relay. */
export const outside = 'outside';

/** Starts both, with the operator and the simple registry installed. */
export async function startRelayedWorld(options: RelayOptions = {}): Promise<RelayedWorld> {
  const world = await startEmbeddedWorld();
  const run = (...words: string[]): Promise<Buffer> => reposureOk(words, { env: world.env });
  await run('operator', 'install', '--wait');
  await run('simple', 'install', '--node-port', '--wait');
  const origin = (await run('simple', 'host')).toString().trim();
  const toRegistry = await startRelay(origin, options);
  await run('registry', 'create', inside, '--provider=simple', '--wait');
  await run('registry', 'create', outside, `--host=${toRegistry.host}`, '--insecure', '--wait');
  const toCluster = await startRelay(new URL(world.cluster.url).host, options);
  return {
    directory: world.directory,
    env: {
      KUBECONFIG: await writeKubeconfig(world, toCluster.host),
      XDG_STATE_HOME: join(world.directory, 'state'),
      TMPDIR: world.directory,
    },
    toCluster,
    toRegistry,
    origin,
    close: async () => {
      await toCluster.close();
      await toRegistry.close();
      await world.close();
    },
  };
}

async function writeKubeconfig(world: EmbeddedWorld, host: string): Promise<string> {
  const text = await readFile(world.env['KUBECONFIG'] ?? '', 'utf8');
  const file = join(world.directory, 'relayed');
  await writeFile(file, text.replaceAll(new URL(world.cluster.url).host, host), { mode: 0o600 });
  return file;
}

/** What a tag stands for in the registry, asked without Reposure. */
export async function digestAt(
  origin: string,
  repository: string,
  tag: string,
): Promise<string | null> {
  const accept = 'application/vnd.oci.image.manifest.v1+json';
  const url = `http://${origin}/v2/${repository}/manifests/${tag}`;
  for (let tries = 0; ; tries++) {
    try {
      const answer = await fetch(url, { method: 'HEAD', headers: { accept } });
      return answer.headers.get('docker-content-digest');
    } catch (error) {
      // A Service leads nowhere for a moment after its Pod was started again.
      if (tries === 40) throw error;
      await delay(250);
    }
  }
}
