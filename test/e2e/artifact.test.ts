import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { streamOf } from '@reposure/core';
import { bundleSource } from '@reposure/core/content';
import { digestOf } from '@reposure/core/oci';
import {
  createArtifacts,
  describeArtifact,
  parseArtifact,
  push,
  remoteRoute,
  useArtifact,
} from '@reposure/core/transfer';
import type { Artifact } from '@reposure/core/transfer';
import { startRegistry } from '@reposure/local/registry';
import type { RunningRegistry } from '@reposure/local/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hasTool, tool } from '../support/tools.ts';

let folder: string;
let registry: RunningRegistry;
let host: string;

const destination = { repository: 'team/files', tags: ['run-1'] };
const open = (): ReturnType<typeof remoteRoute> => remoteRoute(host, { insecure: true });

async function created(path: string): Promise<Artifact> {
  const items = [{ title: 'SOURCE_ARTIFACT', path }];
  const { artifacts } = await createArtifacts(await open(), items, destination, { pushHost: host });
  const [artifact] = artifacts;
  if (!artifact) throw new Error('no artifact');
  return artifact;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'artifact-'));
  registry = await startRegistry({ directory: join(folder, 'registry') });
  ({ host } = registry);
  await mkdir(join(folder, 'source', 'bin'), { recursive: true });
  await writeFile(join(folder, 'source', 'bin', 'run'), 'run\n', { mode: 0o755 });
  // The name of a whiteout in a layer, and a file like any other here.
  await writeFile(join(folder, 'source', '.wh.bin'), 'kept\n');
});

afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

describe('artifacts', () => {
  it('come out as they went in, modes and names of whiteouts included', async () => {
    const artifact = await created(join(folder, 'source'));
    const to = join(folder, 'used');
    await useArtifact(await open(), parseArtifact(describeArtifact(artifact)), to);
    expect(await readFile(join(to, 'bin', 'run'), 'utf8')).toBe('run\n');
    expect((await stat(join(to, 'bin', 'run'))).mode & 0o777).toBe(0o755);
    expect(await readFile(join(to, '.wh.bin'), 'utf8')).toBe('kept\n');
  });

  it('of equal content are equal, and of nothing are empty', async () => {
    const [one, two] = [
      await created(join(folder, 'source')),
      await created(join(folder, 'source')),
    ];
    expect(one.digest).toBe(two.digest);
    const empty = await created(join(folder, 'none'));
    await useArtifact(await open(), empty, join(folder, 'empty'));
    expect(await stat(join(folder, 'empty'))).toBeTruthy();
  });

  it('are not made of what is neither file nor folder', async () => {
    const socket = join(folder, 'socket');
    const server = createServer().listen(socket);
    await once(server, 'listening');
    await expect(created(socket)).rejects.toThrow(/socket: it is neither a file nor a folder/);
    server.close();
  });

  it('leave nothing behind that is not what their digest says', async () => {
    const artifact = await created(join(folder, 'source'));
    const route = await open();
    const altered: typeof route = {
      ...route,
      request: async (asked) => {
        const answer = await route.request(asked);
        if (asked.method !== 'GET' || !asked.path.includes('/blobs/')) return answer;
        await answer.discard();
        const size = Number(answer.headers['content-length']);
        return { ...answer, body: streamOf(Buffer.alloc(size)), discard: async () => {} };
      },
    };
    const to = join(folder, 'altered');
    const failure = await useArtifact(altered, artifact, to, { retries: 0 }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'CONTENT_MISMATCH' });
    await expect(stat(to)).rejects.toThrow('ENOENT');
  });

  it.each(['docker:x', 'oci:host.io/a:1', 'oci:a@sha256:00', ''])('are not %j', (text) => {
    expect(() => parseArtifact(text)).toThrow(/want oci:HOST\/REPOSITORY@sha256/);
  });

  it.skipIf(!hasTool('oras'))('go both ways with what oras and tar do', async () => {
    const artifact = await created(join(folder, 'source'));
    const name = describeArtifact(artifact).slice('oci:'.length);
    const fetched = join(folder, 'fetched.tar.gz');
    await tool('oras', 'blob', 'fetch', '--plain-http', name, '--output', fetched);
    expect(digestOf(await readFile(fetched))).toBe(artifact.digest);
    const theirs = join(folder, 'SOURCE');
    await tool(
      'tar',
      '--create',
      '--use-compress-program=gzip -n',
      '--file',
      theirs,
      '-C',
      join(folder, 'source'),
      '.',
    );
    const digest = digestOf(await readFile(theirs));
    await tool('sh', '-c', `cd ${folder} && oras push --plain-http ${host}/team/theirs:1 SOURCE`);
    const to = join(folder, 'from-oras');
    await useArtifact(await open(), parseArtifact(`oci:${host}/team/theirs@${digest}`), to);
    expect(await readFile(join(to, 'bin', 'run'), 'utf8')).toBe('run\n');
    await expect(readlink(to)).rejects.toThrow('EINVAL');
  });
});

describe('bundleSource()', () => {
  const task = { apiVersion: 'tekton.dev/v1', kind: 'Task', metadata: { name: 'a' }, spec: {} };

  it.skipIf(!hasTool('crane', 'tar'))('makes what the bundles resolver reads', async () => {
    const source = await bundleSource([task, { ...task, kind: 'Pipeline' }]);
    const again = await bundleSource([task, { ...task, kind: 'Pipeline' }]);
    expect(again.root.digest).toBe(source.root.digest);
    await push(await open(), source, { repository: 'team/bundle', tags: ['1'] });
    const manifest = JSON.parse(
      await tool('crane', 'manifest', '--insecure', `${host}/team/bundle:1`),
    ) as {
      layers: { digest: string; annotations: Record<string, string> }[];
    };
    expect(manifest.layers.map(({ annotations }) => annotations)).toEqual(
      ['task', 'pipeline'].map((kind) => ({
        'dev.tekton.image.name': 'a',
        'dev.tekton.image.kind': kind,
        'dev.tekton.image.apiVersion': 'v1',
      })),
    );
    const [layer] = manifest.layers;
    const content = await tool(
      'sh',
      '-c',
      `crane blob --insecure ${host}/team/bundle@${layer?.digest} | tar -xzO`,
    );
    expect(JSON.parse(content)).toEqual(task);
    await tool('crane', 'validate', '--insecure', '--remote', `${host}/team/bundle:1`);
  });

  it.each([
    ['none', [], /want 1 to 20/],
    [
      'too many',
      Array.from({ length: 21 }, (_, at) => ({ ...task, metadata: { name: `${at}` } })),
      /want 1 to 20/,
    ],
    ['one twice', [task, task], /task\/a twice/],
  ])('refuses %s', async (_, resources, message) => {
    await expect(bundleSource(resources)).rejects.toThrow(message);
  });
});
