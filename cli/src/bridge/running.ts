import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { newBridgeLogin, releaseFolder, startBridge, writeToolFiles } from '@reposure/core/bridge';
import type { KeptRecord, NewRecord, Pushed, ToolEnv } from '@reposure/core/bridge';
import type { Registry } from '@reposure/core/resource';
import type { Route } from '@reposure/core/surrogate';
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

/** What is to be known of `--no-token`. */
export const openToAll = 'every user of this machine can push and pull through this bridge';

/** What is done while a bridge runs. */
export interface BridgeWork<K extends KeptRecord | undefined> {
  /** Writes it down for whoever looks for it, if that is possible. */
  readonly keep: (bridge: NewRecord) => Promise<K>;
  readonly run: (env: ToolEnv, kept: K, environment: Environment) => Promise<void>;
}

/** Runs a bridge for as long as the work takes, and removes its files afterwards. */
export async function withBridge<K extends KeptRecord | undefined>(
  flags: BridgeFlags,
  registryName: string,
  { keep, run }: BridgeWork<K>,
): Promise<void> {
  await withRoute(flags, registryName, async (environment) => {
    const { cluster, route, registry, log } = environment;
    const login = flags.token ? newBridgeLogin() : undefined;
    let kept: K | undefined;
    const onPush = (pushed: Pushed): void => {
      log.info(describePushed(pushed, registry));
      const reference = referenceOf(pushed, registry);
      void kept?.notePush(reference ?? `${pushed.repository}@${pushed.digest}`);
    };
    const configDir = resolve(flags.configDir ?? join(tmpdir(), `reposure-bridge-${randomUUID()}`));
    const bridge = await startBridge({ route, registry, port: flags.port, login, onPush, log });
    try {
      const { address, port } = bridge;
      const env = await writeToolFiles(configDir, { address, port, login, env: process.env });
      const { name, namespace } = registry.metadata;
      const place = { registry: name, namespace, cluster: cluster.server, route: route.via };
      kept = await keep({ address, ...place, configDir, env });
      if (!login) log.warn(openToAll);
      log.info(`Bridge ${address} leads to ${describeTarget(registry, route)}`);
      await run(env, kept, environment);
    } finally {
      await bridge.close();
      await kept?.remove();
      await releaseFolder(configDir);
    }
  });
}

function describeTarget({ metadata: { name, namespace } }: Registry, route: Route): string {
  return `${namespace}/${name} by ${route.via}: ${route.reason}`;
}

/** The reference by digest, under the name that nodes pull where it is known. */
function referenceOf({ repository, digest }: Pushed, { status }: Registry): string | undefined {
  return referencesOf(status?.pullHost ?? status?.pushHost, repository, [], digest)[0];
}

function describePushed(pushed: Pushed, registry: Registry): string {
  const { repository, tag, digest } = pushed;
  const name = tag === undefined ? `${repository}@${digest}` : `${repository}:${tag}`;
  const reference = referenceOf(pushed, registry);
  if (reference === undefined) return `Pushed ${name}, ${digest}`;
  const who = registry.status?.pullHost === undefined ? 'Pods reach' : 'nodes pull';
  return `Pushed ${name}; ${who}: ${reference}`;
}
