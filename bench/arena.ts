import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { names } from '@reposure/core/resource';
import { parse, stringify } from 'yaml';

import { reposureOk } from '../test/support/cli.ts';
import { startEmbeddedWorld } from '../test/support/embedded-world.ts';
import { startRealWorld } from '../test/support/real-world.ts';
import { startDistribution } from '../test/support/registries.ts';
import { tool } from '../test/support/tools.ts';
import { linkShapes, openLink } from './link.ts';
import type { Link, LinkName } from './link.ts';
import type { Command } from './measure.ts';
import { partsOfEmbedded, partsOfNode } from './part-meter.ts';
import type { PartOf } from './part-meter.ts';
import { bundledProgram } from './program.ts';

/** Where an image goes. */
export interface Place {
  /** The Registry of that name. */
  readonly registry: string;
  /** `ADDRESS:PORT`, over the link, for those who go straight. */
  readonly host: string;
  /** `ADDRESS:PORT`, without the link, for whoever looks what is there. */
  readonly origin: string;
}

/** What an arena is made of. */
export interface ArenaShape {
  readonly cluster: 'embedded' | 'real';
  readonly link: LinkName;
  /** Whether bytes are counted, which takes a link even where it holds nothing back. */
  readonly isCounted?: boolean;
}

/** A cluster with a registry in it, and a registry beside it; and the links that lead to them. */
export interface Arena extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
  readonly namespace: string;
  /** The registry in the cluster: the surrogate's routes lead to it. */
  readonly inside: Place;
  /** Distribution on this machine, for the route `direct`; not beside a real cluster. */
  readonly outside: Place | undefined;
  readonly links: { readonly toCluster?: Link; readonly toOutside?: Link };
  readonly partOf: PartOf;
  /** `reposure`, as it is shipped; it remembers nothing of what it did before. */
  reposure(...words: readonly string[]): Command;
}

const inside = 'inside';
const outside = 'outside';

/** Makes an arena. @throws {Error} if there is no such cluster, or it cannot be used. */
export async function openArena(shape: ArenaShape): Promise<Arena> {
  const stack = new AsyncDisposableStack();
  try {
    const directory = await mkdtemp(join(tmpdir(), 'bench-arena-'));
    stack.defer(() => rm(directory, { recursive: true, force: true }));
    return await (shape.cluster === 'real' ? inReal : inEmbedded)({ ...shape, directory, stack });
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

interface Opening extends ArenaShape {
  readonly directory: string;
  /** What is to be closed. */
  readonly stack: AsyncDisposableStack;
}

async function inEmbedded(opening: Opening): Promise<Arena> {
  const { stack } = opening;
  const world = await startEmbeddedWorld();
  stack.defer(() => world.close());
  const run = (...words: string[]): Promise<Buffer> => reposureOk(words, { env: world.env });
  const origin = await install(run);
  const registry =
    (await startDistribution({ version: '3' })) ?? (await startDistribution({ version: '2' }));
  if (registry) stack.defer(() => registry.close());
  const toOutside = registry && (await lay(opening, registry.host));
  const beside = registry && {
    registry: outside,
    host: toOutside?.host ?? registry.host,
    origin: registry.host,
  };
  if (beside)
    await run('registry', 'create', outside, `--host=${beside.host}`, '--insecure', '--wait');
  const kubeconfig = await readFile(world.env['KUBECONFIG'] ?? '', 'utf8');
  return await opened(opening, {
    kubeconfig,
    namespace: 'default',
    origin,
    outside: beside,
    toOutside,
    partOf: partsOfEmbedded,
  });
}

async function inReal(opening: Opening): Promise<Arena> {
  const { stack } = opening;
  const world = await startRealWorld();
  stack.defer(() => world.close());
  const { namespace } = world;
  const run = (...words: string[]): Promise<Buffer> => world.run(...words);
  stack.defer(async () => void (await run('operator', 'uninstall', '--wait')));
  const { port } = new URL(`http://${await install(run)}`);
  const view = ['config', 'view', '--raw', '--flatten', '--minify', '-o', 'yaml'];
  const uid = [
    'get',
    'pod',
    names.surrogatePod(inside),
    '-n',
    namespace,
    '-o',
    'jsonpath={.metadata.uid}',
  ];
  return await opened(opening, {
    kubeconfig: await tool('kubectl', ...view),
    namespace,
    origin: `${world.nodeAddress}:${port}`,
    partOf: partsOfNode(await tool('kubectl', ...uid)),
  });
}

/** @returns `ADDRESS:PORT` by which nodes pull from the registry in the cluster. */
async function install(run: (...words: string[]) => Promise<Buffer>): Promise<string> {
  await run('operator', 'install', '--wait');
  await run('simple', 'install', '--node-port', '--wait');
  await run('registry', 'create', inside, '--provider=simple', '--wait');
  return (await run('simple', 'host')).toString().trim();
}

interface Found {
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly origin: string;
  readonly outside?: Place | undefined;
  readonly toOutside?: Link | undefined;
  readonly partOf: PartOf;
}

async function opened(opening: Opening, found: Found): Promise<Arena> {
  const { directory, stack } = opening;
  const { namespace, origin, toOutside, partOf } = found;
  const config = parse(found.kubeconfig) as Kubeconfig;
  const toCluster = await lay(opening, new URL(serverOf(config)).host);
  const toInside = await lay(opening, origin);
  const file = join(directory, 'kubeconfig');
  await writeFile(file, stringify(redirected(config, namespace, toCluster?.host)), { mode: 0o600 });
  const env = { KUBECONFIG: file };
  const program = await bundledProgram();
  let states = 0;
  return {
    env,
    namespace,
    inside: { registry: inside, host: toInside?.host ?? origin, origin },
    outside: found.outside,
    links: { ...(toCluster && { toCluster }), ...(toOutside && { toOutside }) },
    partOf,
    reposure: (...words) => ({
      words: [process.execPath, program, ...words],
      // What it has sent to another repository it would not send again.
      env: { ...env, XDG_STATE_HOME: join(directory, 'state', String(++states)) },
    }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** @returns `undefined` where nothing is to stand between. */
async function lay({ link, isCounted, stack }: Opening, target: string): Promise<Link | undefined> {
  if (link === 'loopback' && !isCounted) return undefined;
  return stack.use(await openLink(target, linkShapes[link]));
}

/** What is written of a kubeconfig of one context. */
export interface Kubeconfig {
  contexts: { context: { namespace?: string } }[];
  clusters: { cluster: { server: string; 'tls-server-name'?: string } }[];
  users: { user: Readonly<Record<string, string>> }[];
}

/** The address of its API server. */
export function serverOf({ clusters: [first] }: Kubeconfig): string {
  if (!first) throw new Error('Cannot use the kubeconfig: it has no cluster');
  return first.cluster.server;
}

/** The same cluster under another address; its certificate names it as every API server's does. */
function redirected(config: Kubeconfig, namespace: string, host: string | undefined): Kubeconfig {
  for (const { context } of config.contexts) context.namespace = namespace;
  for (const { cluster } of host ? config.clusters : []) {
    const { hostname } = new URL(cluster.server);
    if (!/^(127\.|localhost$)/.test(hostname)) {
      cluster['tls-server-name'] ??= /^[\d.:[\]a-f]+$/.test(hostname)
        ? 'kubernetes.default.svc'
        : hostname;
    }
    cluster.server = `https://${host}`;
  }
  return config;
}
