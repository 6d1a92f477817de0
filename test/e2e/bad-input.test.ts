import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { names } from '@reposure/core/resource';
import { startRegistry } from '@reposure/local/registry';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse, stringify } from 'yaml';

import { requestJson } from '../support/api.ts';
import { reposure, reposureOk } from '../support/cli.ts';
import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { runProgram, tool } from '../support/tools.ts';

let world: EmbeddedWorld;
let small: Awaited<ReturnType<typeof startRegistry>>;
let origin: string;

const run = (...words: string[]): Promise<Buffer> => reposureOk(words, { env: world.env });
const path = (name: string): string => join(world.directory, name);

beforeAll(async () => {
  world = await startEmbeddedWorld();
  await run('operator', 'install', '--wait');
  await run('simple', 'install', '--node-port', '--wait');
  await run('registry', 'create', 'default', '--provider=simple', '--wait');
  origin = `http://${(await run('simple', 'host')).toString().trim()}`;
  small = await startRegistry({ directory: path('small'), maxBytes: 200_000 });
  await run('registry', 'create', 'small', `--host=${small.host}`, '--insecure', '--wait');
  await mkdir(path('site'));
  await writeFile(path('site/page.html'), '<p>hello</p>');
  await writeFile(path('site/other.html'), '<p>other</p>');
  await writeFile(path('big.bin'), randomBytes(1_000_000));
  await run('image', 'push', 'default', 'team/site:1', path('site'));
  await run('image', 'pull', 'default', 'team/site:1', '--to', `oci:${path('layout')}`);
  await run(
    'image',
    'pull',
    'default',
    'team/site:1',
    '--to',
    `docker-archive:${path('good.tar')}`,
  );
});

afterAll(async () => {
  await small.close();
  await world.close();
});

/** Runs a push that must fail, and proves that nothing of it can be seen. */
async function refused(
  words: readonly string[],
  env = world.env,
): Promise<{ status: number; stderr: string }> {
  const { status, stderr } = await reposure(words, { env });
  const answer = await fetch(`${origin}/v2/team/bad/tags/list`);
  const { tags } = answer.ok
    ? ((await answer.json()) as { tags: string[] | null })
    : { tags: null };
  expect(tags ?? []).toEqual([]);
  expect(stderr.split('\n').filter((line) => line.startsWith('Error: '))).toHaveLength(1);
  expect(stderr).not.toMatch(/\n\s+at /);
  return { status, stderr };
}
const push = (
  source: string,
  name = 'team/bad:1',
  registry = 'default',
): Promise<{ status: number; stderr: string }> =>
  refused(['image', 'push', registry, name, source, '--retries=1']);

describe('a push of bad input names the thing and the next step', () => {
  it('a truncated archive', async () => {
    await writeFile(path('cut.tar'), await readFile(path('good.tar')));
    await truncate(path('cut.tar'), 1500);
    expect(await push(path('cut.tar'))).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/cut\.tar.*truncated/),
    });
  });

  it('a corrupt compressed archive', async () => {
    await tool('sh', '-c', `gzip -c ${path('good.tar')} | head -c 300 > ${path('cut.tar.gz')}`);
    expect(await push(path('cut.tar.gz'))).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/cut\.tar\.gz/),
    });
  });

  it('an archive without a manifest', async () => {
    await tool('tar', '-cf', path('plain.tar'), '-C', path('site'), 'page.html');
    expect(await push(path('plain.tar'))).toMatchObject({
      stderr: expect.stringMatching(/plain\.tar.*manifest.*file:/s),
    });
  });

  it('a blob whose digest does not match', async () => {
    const bad = path('altered');
    await tool('cp', '-r', path('layout'), bad);
    const blobs = await readdir(join(bad, 'blobs', 'sha256'));
    const sizes = await Promise.all(
      blobs.map(async (name) => (await stat(join(bad, 'blobs', 'sha256', name))).size),
    );
    const layer = blobs[sizes.indexOf(Math.min(...sizes))] ?? '';
    const bytes = await readFile(join(bad, 'blobs', 'sha256', layer));
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    await writeFile(join(bad, 'blobs', 'sha256', layer), bytes);
    expect(await push(`oci:${bad}`)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(layer),
    });
  });

  it('a name that no registry accepts', async () => {
    expect(await push(path('site'), 'Team/Bad:1')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('Team/Bad'),
    });
  });

  it('a file that is not there', async () => {
    const { status, stderr } = await push(path('missing.tar'));
    expect(stderr).toContain('missing.tar');
    expect([1, 2]).toContain(status);
  });

  it('a full disk on the registry', async () => {
    expect(await push(path('big.bin'), 'team/bad:1', 'small')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('no space left'),
    });
    const manifest = await fetch(`http://${small.host}/v2/team/bad/manifests/1`);
    expect(manifest.status).toBe(404);
  });
});

describe('a command that asks for what is not there says so', () => {
  it.each([
    [
      'a tag',
      ['image', 'pull', 'default', 'team/site:nope', '--to', 'oci:nowhere'],
      /no such image/,
    ],
    ['a repository', ['image', 'list', 'default', 'team/none'], /no such repository/],
    ['a registry', ['registry', 'describe', 'nobody'], /"nobody"/],
    [
      'a namespace',
      ['-n', 'none', 'registry', 'create', 'x', '--provider=simple'],
      /create namespace none/,
    ],
  ])('%s', async (_, words, message) => {
    const { status, stderr, stdout } = await reposure(words, {
      env: world.env,
      cwd: world.directory,
    });
    expect(stderr).toMatch(message);
    expect({ status, stdout: stdout.toString() }).toEqual({ status: 1, stdout: '' });
  });

  it('a registry by a name that none can have', async () => {
    const { status, stderr } = await reposure(['image', 'list', 'No Such'], { env: world.env });
    expect(stderr).toContain('No Such');
    expect(status).toBe(2);
  });
});

describe('what is only half there', () => {
  it('one file that was asked for, of an image of many: no result is written', async () => {
    const words = ['image', 'pull', 'default', 'team/site:1', '--unpack'];
    const { status, stderr } = await reposure([...words, `--result=digest=${path('digest')}`], {
      env: world.env,
    });
    expect(stderr).toMatch(/Error: .*not a single file; want --to DIR/);
    expect(await readFile(path('digest'), 'utf8')).toBe('');
    expect(status).toBe(2);
  });

  it('artifacts of which one is not named: its folder is the fallback', async () => {
    const file = path('artifact');
    await run('artifact', 'create', 'default', 'team/artifact:1', `${file}=${path('site')}`);
    const artifact = await readFile(file, 'utf8');
    const uses = [`${artifact}=${path('unpacked')}`, `=${path('instead')}`];
    await run('artifact', 'use', 'default', ...uses, `--fallback=${path('layout')}`);
    expect(await readdir(path('unpacked'))).toEqual(['other.html', 'page.html']);
    expect(await readdir(path('instead'))).toEqual(await readdir(path('layout')));
  });
});

describe('a result that cannot be printed', () => {
  it.skipIf(!existsSync('/dev/full'))('is a clear error, and no stack', async () => {
    const script = fileURLToPath(new URL('../../cli/bin/reposure.js', import.meta.url));
    const line = `${process.execPath} ${script} version > /dev/full`;
    const { status, stderr } = await runProgram(['sh', '-c', line]);
    expect(stderr).toMatch(/^Error: Cannot write the result to standard output: .*ENOSPC.*\n$/);
    expect(status).toBe(1);
  });

  it('is none where nobody reads on', async () => {
    const script = fileURLToPath(new URL('../../cli/bin/reposure.js', import.meta.url));
    const line = `${process.execPath} ${script} completion bash | true; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await runProgram(['bash', '-c', `sleep 0; ${line}`]);
    expect(stderr).toBe('');
    expect(['0\n', '141\n']).toContain(stdout.toString());
  });
});

describe('a cluster that is not as it should be names the thing and the next step', () => {
  it('a registry that is down', async () => {
    const gone = await startRegistry({ directory: path('gone') });
    await run('registry', 'create', 'gone', `--host=${gone.host}`, '--insecure', '--wait');
    await gone.close();
    const { status, stderr } = await push(path('site'), 'team/bad:1', 'gone');
    expect(stderr).toContain(gone.host);
    expect(status).toBe(1);
  });

  it('a Registry that does not exist', async () => {
    expect(await push(path('site'), 'team/bad:1', 'nobody')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/"nobody".*registry list/s),
    });
  });

  it('a surrogate that was taken away', async () => {
    await run('registry', 'create', 'asleep', `--host=${small.host}`, '--insecure', '--wait');
    const { store } = world.cluster;
    const found = store.get('registries.reposure.puccini.cloud', 'default', 'asleep');
    if (!found) throw new Error('asleep was not stored');
    store.update('registries.reposure.puccini.cloud', {
      ...found,
      spec: { ...(found['spec'] as object), replicas: 0 },
    });
    const isGone = (): boolean => !store.get('pods', 'default', `${names.surrogate('asleep')}-0`);
    await vi.waitUntil(isGone, { timeout: 20_000 });
    expect(await push(path('site'), 'team/bad:1', 'asleep')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/asleep.*describe/s),
    });
  });

  it('a kubeconfig without a cluster', async () => {
    await writeFile(
      path('empty'),
      stringify({ apiVersion: 'v1', kind: 'Config', clusters: [], users: [], contexts: [] }),
    );
    const result = await refused(['image', 'push', 'default', 'team/bad:1', path('site')], {
      KUBECONFIG: path('empty'),
    });
    expect(result).toMatchObject({ status: 1, stderr: expect.stringContaining('empty') });
  });

  it('a cluster that takes the connection and says nothing, within the time that is given', async () => {
    await using silent = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const kubeconfig = parse(world.cluster.kubeconfig) as {
      clusters: { cluster: { server: string } }[];
    };
    for (const { cluster } of kubeconfig.clusters) cluster.server = `https://127.0.0.1:${port}`;
    await writeFile(path('silent'), stringify(kubeconfig), { mode: 0o600 });
    const env = { KUBECONFIG: path('silent') };
    const words = ['image', 'push', 'default', 'team/bad:1', path('site'), '--timeout=1s'];
    expect(await refused(words, env)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Error: Cannot finish within 1s'),
    });
  });

  it('an account that may read the Registry but neither its keys nor exec', async () => {
    const apply = (object: Record<string, unknown>, resource: string): void => {
      world.cluster.store.create(resource, object as never);
    };
    const rbac = 'rbac.authorization.k8s.io/v1';
    const metadata = { name: 'reader', namespace: 'default' };
    apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata }, 'serviceaccounts');
    const rules = [
      { apiGroups: ['reposure.puccini.cloud'], resources: ['registries'], verbs: ['get'] },
      { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
    ];
    apply({ apiVersion: rbac, kind: 'Role', metadata, rules }, 'roles.rbac.authorization.k8s.io');
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' };
    const subjects = [{ kind: 'ServiceAccount', name: 'reader', namespace: 'default' }];
    apply(
      { apiVersion: rbac, kind: 'RoleBinding', metadata, roleRef, subjects },
      'rolebindings.rbac.authorization.k8s.io',
    );
    const kubeconfig = parse(world.cluster.kubeconfig) as { users: { user: { token: string } }[] };
    const token = await tokenOf(kubeconfig.users[0]?.user.token ?? '');
    kubeconfig.users = kubeconfig.users.map((entry) => Object.assign(entry, { user: { token } }));
    await writeFile(path('reader'), stringify(kubeconfig), { mode: 0o600 });
    const env = { KUBECONFIG: path('reader') };
    const result = await refused(['image', 'push', 'default', 'team/bad:1', path('site')], env);
    expect(result).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /^Error: Cannot push to registry default\/default: .*Secret ".*" is forbidden, and pods\/exec is forbidden, too; want the Role that `reposure registry role default -n default` prints$/m,
      ),
    });
  });
});

/** A token of the account `reader`, by the API's own way. */
async function tokenOf(adminToken: string): Promise<string> {
  const url = `${world.cluster.url}/api/v1/namespaces/default/serviceaccounts/reader/token`;
  const answer = await requestJson(url, {
    ca: world.cluster.caPem,
    token: adminToken,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
  });
  return (answer as { status: { token: string } }).status.token;
}
