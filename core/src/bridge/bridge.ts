import { explain } from '../errors.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import { RegistryClient } from '../registry/index.ts';
import { breakingStalls, defaultStallTimeoutMs } from '../registry/stall.ts';
import type { Registry } from '../resource/registry.ts';
import type { Route } from '../surrogate/route.ts';
import { bridgeHandler } from './bridge-handler.ts';
import { listenOnLoopback } from './listening.ts';
import type { BridgeLogin } from './login.ts';
import { patient } from './patient.ts';
import { PieceMemory } from './piece-memory.ts';
import { tellingPushes } from './pushes.ts';
import type { Pushed } from './pushes.ts';
import { inToolNames, registryNames } from './tool-names.ts';
import { UploadEndpoint } from './upload-endpoint.ts';

/** What a bridge is started with. */
export interface BridgeOptions {
  /** The way to the registry; whoever opened it closes it after the bridge. */
  readonly route: Route;
  readonly registry: Registry;
  /** To listen on; 0, the default, for one that is free. */
  readonly port?: number | undefined;
  /** Without it, everybody on this machine can use the bridge. */
  readonly login: BridgeLogin | undefined;
  readonly onPush?: ((pushed: Pushed) => void) | undefined;
  /** Tries after the first one, for what got no answer; counted anew whenever bytes have arrived. */
  readonly retries?: number | undefined;
  readonly log?: Log | undefined;
}

/** A registry in a cluster, as an address of this machine. */
export interface Bridge {
  /** `localhost:PORT`, as tools write it. */
  readonly address: string;
  readonly port: number;
  /** Lets the requests under way come to their end, for two seconds, then ends. */
  close(): Promise<void>;
}

/** Of what tools have sent, and the registry has not answered for yet; of all uploads together. */
const memory = { blockBytes: 2 * 1024 * 1024, blocks: 16, blocksOfPiece: 6, blocksAlone: 32 };
/** Half a minute without any answer at all. */
const usualRetries = 8;
const closingTimeMs = 2_000;
const expiryMs = 60_000;

/**
 * Starts an endpoint of the distribution API on this machine that is a registry in a cluster: for
 * tools that know registries and no clusters.
 *
 * @throws {InputError} if the port is taken.
 */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const { route, registry, login, log = silent, onPush = () => {} } = options;
  const ending = new AbortController();
  const patience = {
    retries: options.retries ?? usualRetries,
    signal: ending.signal,
    onRetry: (error: unknown, delayMs: number): void =>
      log.info(`Trying again in ${Math.round(delayMs)} ms: ${explain(error)}`),
  };
  const send = inToolNames(tellingPushes(route.request, onPush), registryNames(registry));
  const uploads = new UploadEndpoint({
    client: new RegistryClient(send),
    memory: new PieceMemory(memory),
    patience,
  });
  const upstream = patient(breakingStalls(send, defaultStallTimeoutMs), patience);
  const listening = await listenOnLoopback(options.port ?? 0);
  const { port } = listening;
  listening.serve(bridgeHandler({ admission: { port, login }, upstream, uploads, log }));
  const timer = setInterval(() => void uploads.expire(), expiryMs).unref();
  return {
    address: `localhost:${port}`,
    port,
    close: async () => {
      clearInterval(timer);
      await listening.close(AbortSignal.timeout(closingTimeMs));
      ending.abort();
      await uploads.close();
    },
  };
}
