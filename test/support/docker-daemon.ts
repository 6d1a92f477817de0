import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { hasTool, runProgram } from './tools.ts';

/** A docker daemon of the test's own. */
export interface DockerDaemon {
  /** For the client: which daemon, and a home without anybody's logins. */
  readonly env: Record<string, string>;
  close(): Promise<void>;
}

/** Whether this machine can run one. */
export const hasDockerDaemon = hasTool('docker', 'dockerd') && process.getuid?.() === 0;

/**
 * Starts a daemon that touches nothing of this machine's but a folder for temporary files.
 *
 * @param plain `ADDRESS:PORT` of a registry that speaks plain HTTP.
 */
export async function startDockerDaemon(plain?: string): Promise<DockerDaemon> {
  const home = await mkdtemp(join(tmpdir(), 'dockerd-'));
  const host = `unix://${home}/docker.sock`;
  const options = {
    iptables: 'false',
    ip6tables: 'false',
    bridge: 'none',
    'storage-driver': 'vfs',
    'data-root': join(home, 'data'),
    'exec-root': join(home, 'exec'),
    host,
    pidfile: join(home, 'pid'),
    ...(plain !== undefined && { 'insecure-registry': plain }),
  };
  const words = Object.entries(options).map(([key, value]) => `--${key}=${value}`);
  const child = spawn('dockerd', words, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const env = { DOCKER_HOST: host, HOME: home };
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    await rm(home, { recursive: true, force: true });
  };
  for (let tries = 0; tries < 300; tries++) {
    const { status } = await runProgram(['docker', 'version'], { env });
    if (status === 0) return { env, close };
    await delay(200);
  }
  await close();
  throw new Error('dockerd does not answer within a minute');
}
