import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A server that speaks S3, with one bucket. */
export interface S3Server {
  /** `http://ADDRESS:PORT` */
  readonly endpoint: string;
  readonly bucket: string;
  readonly close: () => Promise<void>;
}

/** Who may use it. */
export interface S3Login {
  readonly id: string;
  readonly key: string;
}

/**
 * Serves a folder by `rclone serve s3`.
 *
 * @see https://rclone.org/commands/rclone_serve_s3/ `go install github.com/rclone/rclone@v1.76.0`
 */
export async function startS3Server(
  directory: string,
  address: string,
  { id, key }: S3Login,
): Promise<S3Server> {
  const bucket = 'images';
  await mkdir(join(directory, bucket), { recursive: true });
  const port = await freePort(address);
  const endpoint = `http://${address}:${port}`;
  const server = spawn(
    'rclone',
    ['serve', 's3', '--addr', `${address}:${port}`, directory],
    // Not among the arguments, which everybody sees; in quotes, or rclone takes it for two.
    {
      env: { ...process.env, RCLONE_CONFIG: '/dev/null', RCLONE_AUTH_KEY: `"${id},${key}"` },
      stdio: 'ignore',
    },
  );
  for (let tries = 0; !(await answers(endpoint)); tries++) {
    if (tries > 100 || server.exitCode !== null) throw new Error('rclone does not serve S3');
    await delay(100);
  }
  return {
    endpoint,
    bucket,
    close: async () => {
      if (server.exitCode !== null) return;
      const ended = once(server, 'exit');
      server.kill();
      await ended;
    },
  };
}

async function answers(endpoint: string): Promise<boolean> {
  const answer = await fetch(endpoint).catch(() => undefined);
  await answer?.body?.cancel();
  return answer !== undefined;
}

async function freePort(address: string): Promise<number> {
  const server = createServer().listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
