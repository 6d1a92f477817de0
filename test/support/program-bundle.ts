import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { bundleProgram } from '../../operator/bundle-program.ts';
import { programVariable } from './program.ts';

const registryProgram = fileURLToPath(
  new URL('../../local/src/cluster/node/registry-program.ts', import.meta.url),
);

/**
 * Vitest's global setup: bundles what the tests start as programs, once per run, when the first of
 * them asks for it. Hundreds of processes are started, and one of 400 modules takes twice the CPU of
 * a bundle to start.
 *
 * @returns What removes it.
 */
export async function setup(): Promise<() => void> {
  const directory = await mkdtemp(join(tmpdir(), 'reposure-program-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  // Also where a run is broken off.
  process.on('exit', remove);
  let bundled: Promise<string> | undefined;
  const server = createServer((_, response) => {
    bundled ??= bundle(join(directory, 'cli', 'program'));
    bundled.then(
      (folder) => response.end(folder),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.env[programVariable] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return () => {
    server.close();
    server.closeAllConnections();
    remove();
  };
}

async function bundle(folder: string): Promise<string> {
  const beside = { 'registry-program': registryProgram };
  await bundleProgram(folder, { beside, node: process.execPath, minify: false });
  return folder;
}
