import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { createServer, request as forward } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { startRunner } from '../support/action.ts';
import type { Runner, StepRun } from '../support/action.ts';
import { reposureOk } from '../support/cli.ts';
import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';

interface Stored {
  readonly digest: string;
  readonly bytes: number;
  /** Of its config and its layers. */
  readonly blobBytes: number;
}

let world: EmbeddedWorld;
let runner: Runner;
let origin: string;
let stalled: Stalled;

const cli = (...words: string[]): Promise<Buffer> => reposureOk(words, { env: world.env });
const path = (name: string): string => join(world.directory, name);
const push = (inputs: Record<string, string>, more: object = {}): Promise<StepRun> =>
  runner.run({ inputs, env: world.env, ...more });

/** What the registry itself has, without Reposure. */
async function stored(name: string): Promise<Stored> {
  const [repository = '', reference = ''] = name.split(/[:@](?!.*[:@/])/);
  const answer = await fetch(`http://${origin}/v2/${repository}/manifests/${reference}`, {
    headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  if (!answer.ok) throw new Error(`${name} at ${origin}: ${answer.status}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  const { config, layers } = JSON.parse(bytes.toString()) as {
    config: { size: number };
    layers: { size: number }[];
  };
  return {
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    bytes: bytes.byteLength,
    blobBytes: [config, ...layers].reduce((sum, { size }) => sum + size, 0),
  };
}

async function tagsOf(repository: string): Promise<string[]> {
  const answer = await fetch(`http://${origin}/v2/${repository}/tags/list`);
  if (answer.status === 404) return [];
  return ((await answer.json()) as { tags: string[] | null }).tags ?? [];
}

/** In front of a registry: everything passes, but no blob ever arrives. */
interface Stalled {
  readonly host: string;
  /** Once a blob is under way. */
  arrival(): Promise<unknown>;
  close(): void;
}

async function startStalled(): Promise<Stalled> {
  const server: Server = createServer((request, response) => {
    const { method, url, headers } = request;
    if (url?.includes('/blobs/uploads/') && (method === 'PUT' || method === 'PATCH')) {
      request.resume();
      server.emit('stalled');
      return;
    }
    const onward = forward(`http://${origin}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrival: () => once(server, 'stalled'),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

beforeAll(async () => {
  world = await startEmbeddedWorld();
  runner = await startRunner(new URL('../../actions/push/action.yml', import.meta.url));
  await cli('operator', 'install', '--wait');
  await cli('simple', 'install', '--node-port', '--wait');
  origin = (await cli('simple', 'host')).toString().trim();
  stalled = await startStalled();
  await Promise.all([
    cli('registry', 'create', 'default', '--provider=simple', '--wait'),
    cli('registry', 'create', 'near', `--host=${origin}`, '--insecure', '--wait'),
    cli('registry', 'create', 'stalled', `--host=${stalled.host}`, '--insecure', '--wait'),
  ]);
  await mkdir(path('site'));
  await writeFile(path('site/page.html'), '<p>hello</p>');
  await writeFile(path('site/random.bin'), randomBytes(100_000));
  await cli('image', 'push', 'default', 'made/site:1', path('site'));
  await cli('image', 'pull', 'default', 'made/site:1', '--to', `docker-archive:${path('app.tar')}`);
}, 120_000);

afterAll(async () => {
  stalled.close();
  await runner.close();
  await world.close();
});

describe('actions/push', () => {
  it('pushes a folder under several tags and repositories, and says what the registry has', async () => {
    const host = (await cli('registry', 'info', 'default', 'host')).toString().trim();
    const names = ['team/site:1.2.3', 'team/site:1.2', 'team/other:latest'];
    const tags = `${names[0]}\n${host}/${names[1]}, # moves\nteam/other\n`;
    const run = await push({ source: path('site'), tags, registry: 'default', route: 'exec' });
    expect(run).toMatchObject({ status: 0, left: [] });
    expect(run.log).not.toContain('::error::');

    const site = await stored('team/site:1.2.3');
    const { digest, ref, refs, digests } = run.outputs;
    expect(digest).toBe(site.digest);
    expect(ref).toBe(`${host}/team/site@${site.digest}`);
    expect(JSON.parse(refs ?? '')).toEqual(names.map((name) => `${host}/${name}`));
    expect(JSON.parse(digests ?? '')).toEqual({
      tags: Object.fromEntries(
        await Promise.all(names.map(async (name) => [name, (await stored(name)).digest])),
      ),
      platforms: expect.objectContaining({}),
    });
    // Both repositories want the blobs, and each tag its manifest.
    const sent = 2 * site.blobBytes + names.length * site.bytes;
    expect(run.outputs['bytes-sent']).toBe(String(sent));
    for (const text of ['Pushed images', site.digest, ...names]) {
      expect(run.summary).toContain(text);
    }
  });

  it('pushes an archive of docker save, and nothing twice', async () => {
    const inputs = { source: path('app.tar'), tags: 'team/app:1 team/app:2' };
    const first = await push(inputs);
    const app = await stored('team/app:2');
    expect(first.outputs['digest']).toBe(app.digest);
    expect(first.outputs['bytes-sent']).toBe(String(app.blobBytes + 2 * app.bytes));
    const again = await push(inputs);
    expect(again.outputs['bytes-sent']).toBe('0');
    expect(first.left).toEqual([]);
  });

  it('pushes directly where it is asked to', async () => {
    const inputs = { source: path('app.tar'), tags: 'team/near:1', registry: 'near' };
    const run = await push({ ...inputs, route: 'direct' });
    expect(run).toMatchObject({ status: 0, left: [] });
    expect(run.outputs['ref']).toBe(`${origin}/team/near@${(await stored('team/near:1')).digest}`);
    expect(run.summary).toContain('<td>direct</td>');
  });

  it('says in a dry run what would travel, and sends nothing', async () => {
    const tags = 'team/dry:1';
    const run = await push({ source: path('app.tar'), tags, 'dry-run': 'true' });
    expect(run.status).toBe(0);
    expect(run.outputs['digest']).toBe((await stored('team/app:1')).digest);
    expect(run.summary).toContain('would be pushed');
    expect(await tagsOf('team/dry')).toEqual([]);
  });

  it.each([
    ['its text', (text: string) => text],
    ['base64', (text: string) => Buffer.from(text).toString('base64')],
  ])('takes a kubeconfig as %s, masks it first, and leaves none', async (_, formOf) => {
    const text = await readFile(world.env['KUBECONFIG'] ?? '', 'utf8');
    const { users } = parse(text) as { users: { user: { token: string } }[] };
    const token = users[0]?.user.token ?? '';
    const kubeconfig = formOf(text);
    const inputs = { source: path('app.tar'), tags: 'team/masked:1', kubeconfig };
    const run = await push(inputs, { env: {} });
    expect(run).toMatchObject({ status: 0, left: [] });
    expect(run.log.split('\n')).toContain(`::add-mask::${token}`);
    const masks = run.log.lastIndexOf('::add-mask::');
    expect(masks).toBeLessThan(run.log.indexOf('::group::'));
    expect(run.log.replaceAll(/^::add-mask::.*$/gm, '')).not.toContain(token);
  });

  it('pushes where the runner has no summaries, and writes none where none is wanted', async () => {
    const inputs = { source: path('app.tar'), tags: 'team/quiet:1' };
    const without = await push(inputs, { hasSummary: false });
    expect(without).toMatchObject({
      status: 0,
      outputs: { digest: expect.stringMatching(/^sha256:/) },
    });
    const unwanted = await push({ ...inputs, summary: 'false' });
    expect(unwanted).toMatchObject({ status: 0, summary: '' });
  });
});

describe('actions/push fails with one error, exit status 1 and no output', () => {
  it.each([
    ['inputs that are missing', {}, /source: is required; tags: is required/],
    ['a Registry that does not exist', { registry: 'absent' }, /Cannot find registry "absent"/],
    ['a tag of another registry', { tags: 'ghcr.io/team/bad:1' }, /ghcr\.io/],
    ['a truncated archive', { source: 'cut.tar' }, /cut\.tar/],
    ['too little time', { registry: 'stalled', timeout: '1s' }, /within 1 s; the input "timeout"/],
  ])('%s', async (title, inputs: Record<string, string>, message) => {
    await writeFile(path('cut.tar'), await readFile(path('app.tar')));
    await truncate(path('cut.tar'), 1500);
    const usual = { source: 'app.tar', tags: 'team/bad:1', ...inputs };
    const given = title.startsWith('inputs') ? {} : { ...usual, source: path(usual.source) };
    const run = await push(given);
    expect(run).toMatchObject({ status: 1, outputs: {}, left: [] });
    expect(run.summary).toContain('Push failed');
    const errors = run.log.split('\n').filter((line) => line.startsWith('::error::'));
    expect(errors).toEqual([expect.stringMatching(message)]);
    expect(run.log).not.toMatch(/\n\s+at /);
    expect(await tagsOf('team/bad')).toEqual([]);
  });
});

describe('actions/push, when the job is cancelled', () => {
  const inputs = (): Record<string, string> => ({
    source: path('app.tar'),
    tags: 'team/cancelled:1',
    registry: 'stalled',
  });
  const during = (signal: NodeJS.Signals): Promise<StepRun> =>
    push(inputs(), {
      onStart: (kill: (name: NodeJS.Signals) => void) => {
        void stalled.arrival().then(() => kill(signal));
      },
    });

  it('ends at SIGINT, and leaves nothing behind', async () => {
    const run = await during('SIGINT');
    expect(run).toMatchObject({ status: 1, outputs: {}, left: [] });
    expect(run.summary).toContain('<td>team/cancelled:1</td><td>Cancelled (SIGINT)');
    expect(run.log).toContain('::error::Cancelled (SIGINT)');
    expect(await tagsOf('team/cancelled')).toEqual([]);
  });

  it('has its post step remove what a killed push left', async () => {
    const run = await during('SIGKILL');
    expect(run).toMatchObject({ status: null, outputs: {}, left: [expect.any(String)] });
    expect(await runner.runPost()).toMatchObject({ status: 0, log: '', left: [] });
    expect(await tagsOf('team/cancelled')).toEqual([]);
  });
});
