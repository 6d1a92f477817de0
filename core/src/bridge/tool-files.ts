import { mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { InputError } from '../errors.ts';
import { DockerConfig } from '../registry/index.ts';
import { dockerConfigFolder, exists, podmanLoginFile } from '../registry/login-files.ts';
import { writeWholeFile } from '../whole-file.ts';
import { loopbackNames } from './admission.ts';
import { claimFolder } from './claimed-folder.ts';
import { jsonText, parsedJson } from './json-text.ts';
import { basicOf } from './login.ts';
import type { BridgeLogin } from './login.ts';

/** Where tools find what they need of a bridge: to be set for them. */
export interface ToolEnv {
  /** docker, crane, helm, oras, ko, regctl and others. */
  readonly DOCKER_CONFIG: string;
  /** podman, buildah, skopeo. */
  readonly REGISTRY_AUTH_FILE: string;
  readonly CONTAINERS_REGISTRIES_CONF: string;
  /** The address of the bridge, for scripts. */
  readonly REGISTRY: string;
}

/** Where the tools' own files are, which go on to count beside the bridge's. */
export interface OwnFilesEnv {
  readonly DOCKER_CONFIG?: string | undefined;
  readonly REGISTRY_AUTH_FILE?: string | undefined;
  readonly CONTAINERS_REGISTRIES_CONF?: string | undefined;
  readonly XDG_RUNTIME_DIR?: string | undefined;
  readonly XDG_CONFIG_HOME?: string | undefined;
  readonly HOME?: string | undefined;
}

/** What the files are about. */
export interface ToolFilesOptions {
  readonly port: number;
  readonly address: string;
  readonly login: BridgeLogin | undefined;
  /** Of whoever runs the tools. */
  readonly env: OwnFilesEnv;
}

/**
 * Writes what the tools read, so that none of them needs a flag: the login, and that the bridge
 * speaks plain HTTP. What they have of their own goes on to count: logins for other registries, and
 * what else lies in the folder of docker.
 *
 * Files are 0600, and there whole or not at all.
 *
 * @param directory Made if it is not there.
 * @throws {InputError} if others may write to it, if it has files of such names already, or if a file
 * of the tools' own cannot be used.
 */
export async function writeToolFiles(
  directory: string,
  { port, address, login, env: given }: ToolFilesOptions,
): Promise<ToolEnv> {
  const place = resolve(directory);
  const { docker, auth, registries } = await claimFolder(place, address);
  const hosts = loopbackNames.map((name) => `${name}:${port}`);
  const env = await withoutEnded(given);
  const own = await ownLogins(env);
  await rm(docker, { recursive: true, force: true });
  await mkdir(docker, { mode: 0o700 });
  await linkEntries(dockerConfigFolder(env), docker);
  await writeWholeFile(join(docker, 'config.json'), jsonText(withLogin(own.docker, hosts, login)));
  await writeWholeFile(auth, jsonText(withLogin(own.containers, hosts, login)));
  await writeWholeFile(registries, await registriesConf(env, hosts));
  return {
    DOCKER_CONFIG: docker,
    REGISTRY_AUTH_FILE: auth,
    CONTAINERS_REGISTRIES_CONF: registries,
    REGISTRY: address,
  };
}

/**
 * What a bridge has set in a shell stays there when it has ended: the user's own count then, and not
 * nothing.
 */
async function withoutEnded(env: OwnFilesEnv): Promise<OwnFilesEnv> {
  const { DOCKER_CONFIG, REGISTRY_AUTH_FILE, CONTAINERS_REGISTRIES_CONF, ...others } = env;
  const places = [DOCKER_CONFIG, REGISTRY_AUTH_FILE, CONTAINERS_REGISTRIES_CONF].map(
    (path) => path && dirname(path),
  );
  const [place] = places;
  const isOfBridge = place !== undefined && places.every((each) => each === place);
  return isOfBridge && !(await exists(place)) ? others : env;
}

interface OwnLogins {
  readonly docker: DockerConfig;
  readonly containers: DockerConfig;
}

/** podman and its kin look into docker's file, too, unless they are told of one: we tell them. */
async function ownLogins(env: OwnFilesEnv): Promise<OwnLogins> {
  const folder = dockerConfigFolder(env);
  const docker = (folder && (await readLogins(join(folder, 'config.json')))) || {};
  if (env.REGISTRY_AUTH_FILE) {
    return { docker, containers: (await readLogins(env.REGISTRY_AUTH_FILE)) ?? {} };
  }
  const file = podmanLoginFile(env);
  const podman = (file && (await readLogins(file))) || {};
  const { auths, credHelpers } = docker;
  return {
    docker,
    containers: {
      ...podman,
      auths: { ...auths, ...podman.auths },
      ...((credHelpers ?? podman.credHelpers) && {
        credHelpers: { ...credHelpers, ...podman.credHelpers },
      }),
    },
  };
}

async function readLogins(file: string): Promise<DockerConfig | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new InputError(`Cannot read the logins in ${file}: ${error.code}`);
  });
  if (text === undefined || text.trim() === '') return undefined;
  const parsed = DockerConfig.safeParse(parsedJson(text));
  if (parsed.success) return parsed.data;
  // Without the parser's words: they quote the file.
  throw new InputError(`Cannot read the logins in ${file}: want a docker config with "auths"`);
}

function withLogin(
  config: DockerConfig,
  hosts: readonly string[],
  login: BridgeLogin | undefined,
): DockerConfig {
  if (!login) return { ...config, auths: { ...config.auths } };
  const entries = hosts.map((host) => [host, { auth: basicOf(login) }] as const);
  const auths = { ...config.auths, ...Object.fromEntries(entries) };
  if (!config.credsStore) return { ...config, auths };
  // An empty name: of these, the login is in this file, and not where the others are.
  const helpers = Object.fromEntries(hosts.map((host) => [host, '']));
  return { ...config, auths, credHelpers: { ...config.credHelpers, ...helpers } };
}

/** docker keeps more there: its plugins, its contexts, the builders of buildx. */
async function linkEntries(from: string | undefined, to: string): Promise<void> {
  if (from === undefined) return;
  const entries = await readdir(from).catch(() => []);
  for (const entry of entries) {
    if (entry !== 'config.json') await symlink(resolve(from, entry), join(to, entry));
  }
}

/**
 * The file takes the place of the one that counted so far, and begins with it.
 *
 * @see https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md
 */
async function registriesConf(env: OwnFilesEnv, hosts: readonly string[]): Promise<string> {
  const own = await ownRegistriesConf(env);
  const entries = hosts.map(
    (host) => `[[registry]]\nlocation = ${JSON.stringify(host)}\ninsecure = true\n`,
  );
  return [...(own ? [own] : []), ...entries].join('\n');
}

async function ownRegistriesConf(env: OwnFilesEnv): Promise<string | undefined> {
  const { CONTAINERS_REGISTRIES_CONF: named, XDG_CONFIG_HOME, HOME } = env;
  const config = XDG_CONFIG_HOME || (HOME && join(HOME, '.config'));
  const usual = [
    ...(config ? [join(config, 'containers', 'registries.conf')] : []),
    '/etc/containers/registries.conf',
  ];
  for (const file of named ? [named] : usual) {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    // The first version of the format has other tables, and they cannot stand beside each other.
    if (text !== undefined) return /^\s*\[registries\./m.test(text) ? undefined : text;
  }
  return undefined;
}
