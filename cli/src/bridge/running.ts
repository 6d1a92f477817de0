import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { newBridgeLogin, removeToolFiles, startBridge, writeToolFiles } from '@reposure/core/bridge';
import type { Pushed, ToolEnv } from '@reposure/core/bridge';
import type { Registry } from '@reposure/core/resource';
import { referencesOf } from '@reposure/core/transfer';

import { withRoute } from '../environment.ts';
import type { Environment, RouteOptions } from '../environment.ts';

/** The options of everything that starts a bridge. */
export interface BridgeFlags extends RouteOptions {
  readonly port: number;
  /** False for `--no-token`. */
  readonly token: boolean;
  readonly configDir?: string;
}

/** A bridge, as whoever uses it sees it. */
export interface RunningBridge {
  /** `localhost:PORT`, as tools write it. */
  readonly address: string;
  readonly registry: string;
  readonly namespace: string;
  readonly route: string;
  readonly configDir: string;
  readonly env: ToolEnv;
}

/** Runs a bridge for as long as `work` takes, and removes its files afterwards. */
export async function withBridge(
  flags: BridgeFlags,
  registryName: string,
  work: (bridge: RunningBridge, environment: Environment) => Promise<void>,
): Promise<void> {
  await withRoute(flags, registryName, async (environment) => {
    const { route, registry, log } = environment;
    const login = flags.token ? newBridgeLogin() : undefined;
    const onPush = (pushed: Pushed): void => log.info(describePushed(pushed, registry));
    const bridge = await startBridge({ route, registry, port: flags.port, login, onPush, log });
    try {
      const { address, port } = bridge;
      const configDir = flags.configDir ?? (await mkdtemp(join(tmpdir(), 'reposure-bridge-')));
      try {
        const env = await writeToolFiles(configDir, { address, port, login, env: process.env });
        if (!login) log.warn('every user of this machine can push and pull through this bridge');
        const { name, namespace } = registry.metadata;
        const running = { address, registry: name, namespace, route: route.via, configDir, env };
        log.info(`Bridge ${address} to ${namespace}/${name} by ${route.via}: ${route.reason}`);
        await work(running, environment);
      } finally {
        await removeToolFiles(configDir);
      }
    } finally {
      await bridge.close();
    }
  });
}

/** What nodes pull, where a name is known for it. */
function describePushed({ repository, tag, digest }: Pushed, { status }: Registry): string {
  const [tags, { pullHost, pushHost }] = [tag === undefined ? [] : [tag], status ?? {}];
  const name = tag === undefined ? `${repository}@${digest}` : `${repository}:${tag}, ${digest}`;
  const [pulled] = referencesOf(pullHost, repository, tags, digest);
  if (pulled !== undefined) return `Pushed ${name}; nodes pull: ${pulled}`;
  const [reached] = referencesOf(pushHost, repository, tags, digest);
  return reached === undefined ? `Pushed ${name}` : `Pushed ${name}; Pods reach: ${reached}`;
}
