import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../../bin/reposure.js', import.meta.url));
let directory: string;
let server: Server;
let config: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'registry-info-'));
  const metadata = { name: 'default', namespace: 'ci' };
  server = createServer((request, response) => {
    const data = { 'config.json': Buffer.from(config).toString('base64') };
    const object = request.url?.includes('/secrets/')
      ? { apiVersion: 'v1', kind: 'Secret', metadata, data }
      : {
          apiVersion: 'reposure.puccini.cloud/v1alpha1',
          kind: 'Registry',
          metadata,
          spec: { direct: { host: 'registry:5000' }, loginSecret: 'login' },
          status: { pushHost: 'registry:5000' },
        };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(object));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const kubeconfig = {
    'current-context': 'c',
    clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
    contexts: [{ name: 'c', context: { cluster: 'c', namespace: 'ci' } }],
  };
  await writeFile(join(directory, 'kubeconfig'), JSON.stringify(kubeconfig));
  const helper = join(directory, 'docker-credential-hostile');
  await writeFile(helper, `#!/bin/sh\necho '{"Username":"u","Secret":"from the helper"}'\n`);
  await chmod(helper, 0o755);
});

afterEach(async () => {
  server.close();
  server.closeAllConnections();
  await rm(directory, { recursive: true, force: true });
});

async function passwordIn(text: string): Promise<{ status: unknown; said: string }> {
  config = text;
  const PATH = `${directory}:${process.env['PATH'] ?? ''}`;
  const env = { ...process.env, PATH, KUBECONFIG: join(directory, 'kubeconfig') };
  const child = spawn(process.execPath, [program, 'registry', 'info', 'default', 'password'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const output of [child.stdout, child.stderr]) {
    output.on('data', (chunk: Buffer) => (said += chunk.toString()));
  }
  const [status] = (await once(child, 'close')) as [unknown];
  return { status, said };
}

describe('registry info NAME password', () => {
  it('prints the password for the host of the registry', async () => {
    const auth = Buffer.from('robot:hunter2').toString('base64');
    const found = await passwordIn(JSON.stringify({ auths: { 'registry:5000': { auth } } }));
    expect(found).toEqual({ status: 0, said: 'hunter2\n' });
  });

  it('runs no helper that a Secret names', async () => {
    const { status, said } = await passwordIn('{"auths":{},"credsStore":"hostile"}');
    expect(status).toBe(1);
    expect(said).not.toContain('from the helper');
  });

  it('does not repeat a Secret that it cannot read', async () => {
    const { status, said } = await passwordIn('hunter2');
    expect(status).toBe(2);
    expect(said).toContain('want a docker config');
    expect(said).not.toContain('hunter2');
  });
});
