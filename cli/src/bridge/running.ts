import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import {
  newBridgeLogin,
  removeToolFiles,
  startBridge,
  writeToolFiles,
} from '@reposure/core/bridge';
import type { Bridge, Pushed, ToolEnv } from '@reposure/core/bridge';
import type { Registry } from '@reposure/core/resource';
import type { Route } from '@reposure/core/surrogate';
import { referencesOf } from '@reposure/core/transfer';

import { withRoute } from '../environment.ts';
import type { Environment, RouteOptions } from '../environment.ts';
import { bridgeRecords } from './records.ts';

/** The options of everything that starts a bridge. */
export interface BridgeFlags extends RouteOptions {
  readonly port: number;
  /** False for `--no-token`. */
  readonly token: boolean;
  readonly configDir?: string;
}

/** A bridge, as whoever uses it sees it. */
interface RunningBridge {
  /** `localhost:PORT`, as tools write it. */
  readonly address: string;
  readonly registry: string;
  readonly namespace: string;
  readonly route: string;
  readonly configDir: string;
  readonly env: ToolEnv;
}

/** What is done while a bridge runs. */
export interface BridgeWork {
  readonly run: (bridge: RunningBridge, environment: Environment) => Promise<void>;
  /** Told the reference of what a tool has pushed. */
  readonly onPush?: (reference: string) => void;
}

/** Runs a bridge for as long as the work takes, and removes its files afterwards. */
export async function withBridge(
  flags: BridgeFlags,
  registryName: string,
  work: BridgeWork,
): Promise<void> {
  await withRoute(flags, registryName, async (environment) => {
    const { route, registry, log } = environment;
    const login = flags.token ? newBridgeLogin() : undefined;
    const onPush = (pushed: Pushed): void => {
      log.info(describePushed(pushed, registry));
      work.onPush?.(referenceOf(pushed, registry) ?? `${pushed.repository}@${pushed.digest}`);
    };
    const configDir = await toolFolder(flags.configDir);
    const bridge = await startBridge({ route, registry, port: flags.port, login, onPush, log });
    try {
      const { address, port } = bridge;
      const env = await writeToolFiles(configDir, { address, port, login, env: process.env });
      if (!login) log.warn('every user of this machine can push and pull through this bridge');
      log.info(`Bridge ${address} leads to ${describeTarget(registry, route)}`);
      await work.run({ ...namesOf(bridge, registry, route), configDir, env }, environment);
    } finally {
      await bridge.close();
      await removeToolFiles(configDir);
    }
  });
}

/** A folder of its own, unless there is one for it that no other bridge uses. */
async function toolFolder(given: string | undefined): Promise<string> {
  if (given === undefined) return await mkdtemp(join(tmpdir(), 'reposure-bridge-'));
  const configDir = resolve(given);
  await bridgeRecords().requireUnused(configDir);
  return configDir;
}

function namesOf(
  { address }: Bridge,
  { metadata: { name, namespace } }: Registry,
  { via }: Route,
): Pick<RunningBridge, 'address' | 'registry' | 'namespace' | 'route'> {
  return { address, registry: name, namespace, route: via };
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
