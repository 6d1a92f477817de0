import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { environmentOf } from './environment.ts';
import { expand } from './expansion.ts';
import type { Container, Pod } from './objects.ts';
import type { PathMapping } from './path-mapping.ts';
import type { Launch } from './process-table.ts';
import type { Program, ProgramContainer } from './program.ts';
import type { VolumeSource } from './volume-content.ts';

/** By a name of package.json: a bundle has it elsewhere. */
const preload = pathToFileURL(createRequire(import.meta.url).resolve('#preload')).href;
/** Where a program of ours finds the descriptor that closes when the cluster is gone. */
const lifelineFd = 3;

/** What processes of one Pod have in common. */
export interface PodSurroundings {
  readonly source: VolumeSource;
  /** The Pod's own folder. */
  readonly folder: string;
  /** Links to our programs, first on every PATH. */
  readonly binFolder: string;
  readonly hostsFile: string;
  /** Absent where the Pod has no token. */
  readonly kubeconfig: string | undefined;
}

/** A container and how its paths are found. */
export interface Launched {
  readonly container: Container;
  readonly program: Program;
  readonly mapping: PathMapping;
}

/**
 * The command line and the whole environment of a process in a container.
 *
 * @param command What an exec or a probe runs; without it, what the container is for.
 * @throws {SetupError} if a Secret, ConfigMap or key of its environment is not there.
 */
export function launchOf(
  surroundings: PodSurroundings,
  launched: Launched,
  command?: readonly string[],
): Launch {
  const { container, program, mapping } = launched;
  const { pod, podIp } = surroundings.source;
  const env = environmentOf(surroundings.source, container);
  const asProgram: ProgramContainer = {
    image: container.image,
    ...partsOf(container, env, command),
    env,
    podIp,
    hostPathOf: (path) => mapping.hostPathOf(path),
  };
  const rewritten: ProgramContainer = {
    ...asProgram,
    command: asProgram.command.map((part) => mapping.rewrite(part)),
    args: asProgram.args.map((part) => mapping.rewrite(part)),
  };
  const own = Object.entries(env).map(([name, value]) => [name, mapping.rewrite(value)]);
  const home = join(surroundings.folder, 'home', container.name);
  mkdirSync(join(home, 'tmp'), { recursive: true });
  return {
    argv: argvOf(program, rewritten),
    env: {
      ...base(surroundings, home),
      HOSTNAME: pod.spec.hostname ?? pod.metadata.name,
      ...program.environment?.(rewritten),
      ...Object.fromEntries(own),
      ...(program.mapped ? mappedVariables(surroundings, pod) : {}),
    },
    cwd: workingFolderOf(container, mapping, home),
  };
}

/** An exec's command is taken as it is; a manifest's is expanded. */
function partsOf(
  { command = [], args = [] }: Container,
  env: Readonly<Record<string, string>>,
  given: readonly string[] | undefined,
): { command: readonly string[]; args: readonly string[] } {
  if (given) return { command: given, args: [] };
  const expanded = (part: string): string => expand(part, env);
  return { command: command.map(expanded), args: args.map(expanded) };
}

function argvOf(program: Program, container: ProgramContainer): readonly string[] {
  const argv = program.command(container);
  const [node = '', ...rest] = argv;
  const isNode = node === process.execPath || basename(node) === 'node';
  if (!program.mapped || !isNode) return argv;
  return [node, '--import', preload, ...rest];
}

function base({ binFolder, kubeconfig }: PodSurroundings, home: string): Record<string, string> {
  return {
    PATH: `${binFolder}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: home,
    TMPDIR: join(home, 'tmp'),
    ...(kubeconfig ? { KUBECONFIG: kubeconfig } : {}),
  };
}

function mappedVariables({ hostsFile, source }: PodSurroundings, pod: Pod): Record<string, string> {
  return {
    REPOSURE_LOCAL_HOSTS: hostsFile,
    REPOSURE_LOCAL_NAMESPACE: pod.metadata.namespace ?? 'default',
    REPOSURE_LOCAL_POD_IP: source.podIp,
    REPOSURE_LOCAL_LIFELINE: String(lifelineFd),
  };
}

function workingFolderOf(container: Container, mapping: PathMapping, home: string): string {
  if (!container.workingDir) return home;
  const folder = mapping.hostPathOf(container.workingDir);
  mkdirSync(folder, { recursive: true });
  return folder;
}
