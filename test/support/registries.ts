import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get as getPlain } from 'node:http';
import { get as getOverTls } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { makeServerCertificate } from '@reposure/core';
import { hash as bcryptHash } from 'bcryptjs';

/** A real registry, to be talked to. */
export interface RunningRegistry {
  /** `ADDRESS:PORT` */
  readonly host: string;
  /** PEM, if it speaks TLS. */
  readonly ca?: string;
  /** Where its files are. */
  readonly directory: string;
  /** Ends it, and removes its files. */
  close(): Promise<void>;
}

/** Which registry, and how it is set up. */
export interface DistributionOptions {
  readonly version: '2' | '3';
  /** Of this machine, to listen on; 127.0.0.1 by default. */
  readonly address?: string;
  readonly tls?: boolean;
  readonly htpasswd?: { readonly username: string; readonly password: string };
  /** A token service, and the certificates (PEM) that sign its tokens. */
  readonly token?: {
    readonly realm: string;
    readonly service: string;
    readonly issuer: string;
    readonly roots: string;
  };
  /** Takes nothing and deletes nothing. */
  readonly readonly?: boolean;
  /** Whether manifests and blobs can be deleted; they can unless it is false. */
  readonly delete?: boolean;
  /** What it names itself in Locations: `https://name`. */
  readonly externalUrl?: string;
}

const secondsToStart = 15;

/** The program of this version of Distribution, or `undefined` if the machine has none. */
export function findDistribution(version: '2' | '3'): string | undefined {
  return ['registry', 'docker-registry'].find((program) => {
    const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
    return status === 0 && new RegExp(` v?${version}\\.\\d`).test(stdout);
  });
}

/**
 * Starts the real Distribution on a free port of 127.0.0.1, with its files in a folder of its own.
 *
 * @returns `undefined` if the machine does not have it.
 */
export async function startDistribution(
  options: DistributionOptions,
): Promise<RunningRegistry | undefined> {
  const program = findDistribution(options.version);
  if (!program) return undefined;
  const directory = await mkdtemp(join(tmpdir(), 'reposure-registry-'));
  try {
    return await startIn(directory, program, options);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(
  directory: string,
  program: string,
  options: DistributionOptions,
): Promise<RunningRegistry> {
  const { address = '127.0.0.1' } = options;
  const host = `${address}:${await freePort(address)}`;
  const ca = options.tls ? await writeCertificates(directory) : undefined;
  const file = join(directory, 'config.yml');
  // JSON is YAML.
  await writeFile(file, JSON.stringify(await configOf(host, directory, options)));
  const { PATH } = process.env;
  const child = spawn(program, ['serve', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH, OTEL_TRACES_EXPORTER: 'none' },
  });
  const said = lastWordsOf(child);
  const close = async (): Promise<void> => {
    await stop(child);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await answering(`${ca ? 'https' : 'http'}://${host}/v2/`, child, ca);
  } catch (error) {
    await stop(child);
    throw new Error(`${program} does not start: ${said()}`, { cause: error });
  }
  return { host, directory, close, ...(ca ? { ca } : {}) };
}

async function configOf(
  host: string,
  directory: string,
  options: DistributionOptions,
): Promise<object> {
  const { tls, readonly: isReadonly, delete: deletes = true, externalUrl } = options;
  return {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(directory, 'data') },
      delete: { enabled: deletes },
      maintenance: {
        uploadpurging: { enabled: false },
        readonly: { enabled: isReadonly ?? false },
      },
    },
    http: {
      addr: host,
      secret: 'not a secret',
      ...(externalUrl ? { host: externalUrl } : {}),
      ...(tls
        ? { tls: { certificate: join(directory, 'tls.crt'), key: join(directory, 'tls.key') } }
        : {}),
    },
    ...(await authOf(directory, options)),
  };
}

async function authOf(
  directory: string,
  { htpasswd, token }: DistributionOptions,
): Promise<object> {
  if (htpasswd) {
    const file = join(directory, 'htpasswd');
    const hash = await bcryptHash(htpasswd.password, 4);
    await writeFile(file, `${htpasswd.username}:${hash}\n`);
    return { auth: { htpasswd: { realm: 'tests', path: file } } };
  }
  if (!token) return {};
  const { roots, ...auth } = token;
  const rootcertbundle = join(directory, 'token-roots.crt');
  await writeFile(rootcertbundle, roots);
  return { auth: { token: { ...auth, rootcertbundle } } };
}

async function freePort(address: string): Promise<number> {
  const server = createServer().listen(0, address);
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  await once(server, 'close');
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return bound.port;
}

async function answering(url: string, child: ChildProcess, ca?: string): Promise<void> {
  for (let tries = 0; tries < secondsToStart * 20; tries++) {
    if (child.exitCode !== null) throw new Error(`it ended with status ${child.exitCode}`);
    if (await isAnswering(url, ca)) return;
    await delay(50);
  }
  throw new Error(`it does not answer within ${secondsToStart} s`);
}

function isAnswering(url: string, ca?: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const options = { agent: false, ...(ca ? { ca } : {}) };
  const request = url.startsWith('https:') ? getOverTls(url, options) : getPlain(url, options);
  request.once('error', () => resolve(false));
  request.once('response', (response) => {
    response.resume().once('close', () => resolve(true));
  });
  return promise;
}

function lastWordsOf(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    text = `${text}${chunk.toString('utf8')}`.slice(-2000);
  });
  child.once('error', (error) => {
    text += error.message;
  });
  return () => text;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, 'close');
  child.kill('SIGKILL');
  await ended;
}

/** A CA of our own (PEM), and in `directory` a certificate `tls.crt` for 127.0.0.1 and localhost with its `tls.key`. */
export async function writeCertificates(directory: string): Promise<string> {
  const names = { dnsNames: ['localhost'], addresses: ['127.0.0.1'] };
  const { caPem, certificatePem, keyPem } = await makeServerCertificate(names);
  await writeFile(join(directory, 'tls.crt'), certificatePem);
  await writeFile(join(directory, 'tls.key'), keyPem, { mode: 0o600 });
  return caPem;
}
