import { mkdir, writeFile } from 'node:fs/promises';

import { openCluster, resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient } from '@reposure/core/kubernetes';
import { list } from 'tar';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startActionWorld } from '../support/action-world.ts';
import type { ActionWorld } from '../support/action-world.ts';
import type { StepRun } from '../support/action.ts';
import { writeBuildkitArchive } from '../support/buildkit-archive.ts';
import { describeAct } from './action-act.ts';
import { describeDeploy } from './action-deploy.ts';
import { describePull } from './action-pull.ts';
import { describeRefusals } from './action-refusals.ts';
import { expectNoSecrets, tokenOf } from './action-secrets.ts';
import { describeSetup } from './action-setup.ts';

let world: ActionWorld;

beforeAll(async () => {
  world = await startActionWorld();
}, 120_000);
afterAll(() => world.close());

async function asked<T>(ask: (cluster: KubernetesClient) => Promise<T>): Promise<T> {
  const cluster = await openCluster({ kubeconfig: world.env['KUBECONFIG'] });
  try {
    return await ask(cluster);
  } finally {
    cluster.close();
  }
}

function podNames(): Promise<string[]> {
  return asked(async (cluster) => {
    const { items } = await cluster.list(resourceTypes.Pod);
    return items.map(({ metadata }) => metadata.name);
  });
}

describeSetup(() => world);

describe('actions/push', () => {
  it('pushes a folder under several tags and repositories, and says what the registry has', async () => {
    const host = (await world.cli('registry', 'info', 'default', 'host')).toString().trim();
    const names = ['team/site:1.2.3', 'team/site:1.2', 'team/other:latest'];
    const tags = `${names[0]}\n${host}/${names[1]}, # moves\nteam/other\n`;
    const run = await world.push({
      source: world.path('site'),
      tags,
      registry: 'default',
      route: 'exec',
    });
    expect(run).toMatchObject({ status: 0, left: [] });
    expect(run.log).not.toContain('::error::');

    const site = await world.stored('team/site:1.2.3');
    const { digest, ref, refs, digests } = run.outputs;
    expect(digest).toBe(site.digest);
    expect(ref).toBe(`${host}/team/site@${site.digest}`);
    expect(JSON.parse(refs ?? '')).toEqual(names.map((name) => `${host}/${name}`));
    expect(JSON.parse(digests ?? '')).toEqual({
      tags: Object.fromEntries(
        await Promise.all(names.map(async (name) => [name, (await world.stored(name)).digest])),
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
    const inputs = { source: world.path('app.tar'), tags: 'team/app:1 team/app:2' };
    const first = await world.push(inputs);
    const app = await world.stored('team/app:2');
    expect(first.outputs['digest']).toBe(app.digest);
    expect(first.outputs['bytes-sent']).toBe(String(app.blobBytes + 2 * app.bytes));
    const again = await world.push(inputs);
    expect(again.outputs['bytes-sent']).toBe('0');
    expect(first.left).toEqual([]);
  });

  it('pushes directly where it is asked to', async () => {
    const inputs = { source: world.path('app.tar'), tags: 'team/near:1', registry: 'near' };
    const run = await world.push({ ...inputs, route: 'direct' });
    expect(run).toMatchObject({ status: 0, left: [] });
    expect(run.outputs['ref']).toBe(
      `${world.origin}/team/near@${(await world.stored('team/near:1')).digest}`,
    );
    expect(run.summary).toContain('<td>direct</td>');
  });

  it('says in a dry run what would travel, and sends nothing', async () => {
    const tags = 'team/dry:1';
    const run = await world.push({ source: world.path('app.tar'), tags, 'dry-run': 'true' });
    expect(run.status).toBe(0);
    expect(run.outputs['digest']).toBe((await world.stored('team/app:1')).digest);
    expect(run.summary).toContain('would be pushed');
    expect(await world.tagsOf('team/dry')).toEqual([]);
  });

  it.each([
    ['its text', async (text: string) => text],
    ['base64', async (text: string) => Buffer.from(text).toString('base64')],
    ['the folder that it is mounted to', mounted],
  ])('takes a kubeconfig as %s, masks it first, and leaves none', async (_, formOf) => {
    const { kubeconfig: text } = world;
    const token = tokenOf(text);
    const kubeconfig = await formOf(text);
    const inputs = { source: world.path('app.tar'), tags: 'team/masked:1', kubeconfig };
    const run = await world.push(inputs, { env: {} });
    expect(run).toMatchObject({ status: 0, left: [] });
    expect(run.log.split('\n')).toContain(`::add-mask::${token}`);
    const masks = run.log.lastIndexOf('::add-mask::');
    expect(masks).toBeLessThan(run.log.indexOf('::group::'));
    expectNoSecrets(run, [token]);
  });

  it('pushes where the runner has no summaries, and writes none where none is wanted', async () => {
    const inputs = { source: world.path('app.tar'), tags: 'team/quiet:1' };
    const without = await world.push(inputs, { hasSummary: false });
    expect(without).toMatchObject({
      status: 0,
      outputs: { digest: expect.stringMatching(/^sha256:/) },
    });
    const unwanted = await world.push({ ...inputs, summary: 'false' });
    expect(unwanted).toMatchObject({ status: 0, summary: '' });
  });

  it('says why a node cannot pull what was pushed, and leaves no Pod', async () => {
    const inputs = { source: world.path('site'), tags: 'team/unpullable:1', 'verify-pull': 'true' };
    const run = await world.push(inputs);
    expect(run).toMatchObject({ status: 1, outputs: {}, left: [] });
    // The embedded cluster runs our image and no other.
    expect(run.log).toMatch(
      /::error::Cannot verify the pull: .* cannot pull .*\/team\/unpullable@/,
    );
    expect(await podNames()).toContain('reposure-surrogate-default-0');
    expect(String(await podNames())).not.toContain('pull-check');
  });

  it('has a node pull what was pushed, and post remove the Pod of a check that was killed', async () => {
    const { env, path, push, runners } = world;
    const inputs = { source: path('app.tar'), tags: 'team/app:checked', 'verify-pull': 'true' };
    const run = await push(inputs);
    expect(run).toMatchObject({ status: 0, left: [] });
    expect(run.log).toContain('A node has pulled');
    const name = 'reposure-pull-check-left';
    const { KUBECONFIG: kubeconfig } = env;
    const image = run.outputs['ref'] ?? '';
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' } };
    await asked((cluster) =>
      cluster.create({ ...pod, spec: { containers: [{ name: 'image', image }] } }),
    );
    expect(await podNames()).toContain(name);
    const state = JSON.stringify({ ...pod.metadata, kubeconfig });
    expect(await runners.push.runPost({ STATE_pod: state })).toMatchObject({ status: 0, log: '' });
    // As long as a Pod takes to end.
    await expect.poll(podNames).not.toContain(name);
    expect(await podNames()).toContain('reposure-surrogate-default-0');
  });

  it('keeps the attestations of an archive as docker/build-push-action writes it', async () => {
    const archive = await writeBuildkitArchive(world.path('built.tar'));
    const inputs = { source: `oci-archive:${archive.path}`, tags: 'team/built:1' };
    const run = await world.push(inputs);
    expect(run.outputs['digest']).toBe(archive.digest);
    const { platforms } = JSON.parse(run.outputs['digests'] ?? '') as {
      platforms: Record<string, string>;
    };
    expect(Object.keys(platforms)).toEqual(['linux/amd64', 'linux/arm64']);
    expect(run.summary).toContain('<td>linux/amd64, linux/arm64</td>');
    const to = `oci-archive:${world.path('back.tar')}`;
    expect(await world.pull({ image: 'team/built:1', to })).toMatchObject({
      status: 0,
      outputs: { digest: archive.digest, path: world.path('back.tar') },
    });
    expect(await digestsIn(world.path('back.tar'))).toEqual(archive.digests);
  });
});

describePull(() => world);
describeDeploy(() => world);
describeRefusals(() => world);
describeAct(() => world);

describe('actions/push, when the job is cancelled', () => {
  const inputs = (): Record<string, string> => ({
    source: world.path('app.tar'),
    tags: 'team/cancelled:1',
    registry: 'stalled',
  });
  const during = (signal: NodeJS.Signals): Promise<StepRun> =>
    world.push(inputs(), {
      onStart: (kill: (name: NodeJS.Signals) => void) => {
        void world.stalled.arrival().then(() => kill(signal));
      },
    });

  it('ends at SIGINT, and leaves nothing behind', async () => {
    const run = await during('SIGINT');
    expect(run).toMatchObject({ status: 1, outputs: {}, left: [] });
    expect(run.summary).toContain('<td>team/cancelled:1</td><td>Cancelled (SIGINT)');
    expect(run.log).toContain('::error::Cancelled (SIGINT)');
    expect(await world.tagsOf('team/cancelled')).toEqual([]);
  });

  it('has its post step remove what a killed push left', async () => {
    const run = await during('SIGKILL');
    expect(run).toMatchObject({ status: null, outputs: {}, left: [expect.any(String)] });
    expect(await world.runners.push.runPost()).toMatchObject({ status: 0, log: '', left: [] });
    expect(await world.tagsOf('team/cancelled')).toEqual([]);
  });
});

/** A folder with a kubeconfig, as pipelines mount one. */
async function mounted(kubeconfig: string): Promise<string> {
  const folder = world.path('mounted');
  await mkdir(folder);
  await writeFile(world.path('mounted/kubeconfig'), kubeconfig);
  return folder;
}

/** Of every blob in an OCI archive, sorted. */
async function digestsIn(path: string): Promise<string[]> {
  const digests: string[] = [];
  await list({
    file: path,
    onReadEntry: (entry) => {
      const [, hex] = /^blobs\/sha256\/(\w+)$/.exec(entry.path) ?? [];
      if (hex !== undefined) digests.push(`sha256:${hex}`);
    },
  });
  return digests.toSorted();
}
