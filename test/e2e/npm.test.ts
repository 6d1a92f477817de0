import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { openCluster, resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject } from '@reposure/core/kubernetes';
import type { Program } from '@reposure/local/cluster';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { reposureOk } from '../support/cli.ts';
import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { manifestsOf, startNpmProject } from '../support/npm-packages.ts';
import type { NpmProject } from '../support/npm-packages.ts';
import { sampleApp, versionAt } from '../support/sample-app.ts';

const tsc = fileURLToPath(new URL('../../node_modules/.bin/tsc', import.meta.url));
const types = fileURLToPath(new URL('../../node_modules/@types', import.meta.url));
const packageNames = ['@reposure/core', 'reposure'];
/** By which the nodes of the embedded cluster pull: its table of programs knows it beforehand. */
const pullHost = 'registry.test:5000';

let folder: string;
let project: NpmProject;
let world: EmbeddedWorld;
let kubernetes: KubernetesClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'npm-'));
  // The embedded cluster runs no images: a program stands for the one that the project builds.
  const hello: Program = {
    mapped: true,
    command: () => [process.execPath, join(sampleApp, 'server.mjs')],
    environment: () => ({ VERSION: 'embedded' }),
  };
  const starting = startEmbeddedWorld({ [`${pullHost}/team/hello`]: hello });
  [project, world] = await Promise.all([startNpmProject(folder), starting]);
  kubernetes = await openCluster({ kubeconfig: world.env['KUBECONFIG'] });
  const cli = (...words: string[]): Promise<Buffer> => reposureOk(words, { env: world.env });
  await cli('operator', 'install', '--wait');
  await cli('simple', 'install', '--wait');
  const create = ['registry', 'create', 'default', '--provider=simple', `--pull-host=${pullHost}`];
  await cli(...create, '--wait');
}, 300_000);

afterAll(async () => {
  kubernetes.close();
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the packages on npm', () => {
  it.each(packageNames)('%s holds what it runs, and nothing else', (name) => {
    const paths = project.packed.get(name)?.files.map(({ path }) => path) ?? [];
    expect(paths).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']));
    const others = paths.filter(
      (path) => !/^(?:LICENSE|README\.md|package\.json|(?:bin|dist)\/.*)$/.test(path),
    );
    expect(others).toEqual([]);
    expect(paths.filter((path) => /\.map$|\.test\.|(?<!\.d)\.ts$/.test(path))).toEqual([]);
  });

  it.each(packageNames)('%s passes publint', async (name) => {
    const pkgDir = join(project.directory, 'node_modules', name);
    const { messages, pkg } = await publint({ pkgDir, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('have the version and the dependencies of the workspace', async () => {
    const [core, program] = await Promise.all(packageNames.map(manifestsOf));
    expect(program?.published.version).toBe(program?.own.version);
    // It has all of its own inside.
    expect(program?.published.dependencies).toBeUndefined();
    expect(core?.published.version).toBe(core?.own.version);
    const ranges = Object.entries(core?.own.dependencies ?? {}).map(([name, at]) => [
      name,
      `^${at}`,
    ]);
    const { dependencies, peerDependencies } = core?.published ?? {};
    expect({ ...dependencies, ...peerDependencies }).toEqual(Object.fromEntries(ranges));
  });

  it('have declarations by which a program of somebody else is checked', async () => {
    await writeFile(join(project.directory, 'program.ts'), program);
    await writeFile(join(project.directory, 'mistaken.ts'), mistakenProgram);
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022'];
    const found = ['--types', 'node', '--typeRoots', types, 'program.ts', 'mistaken.ts'];
    const { status, stdout } = await project.run([tsc, ...options, ...found]);
    expect(stdout.toString()).toMatch(/^mistaken\.ts\(3,\d+\): error TS2339: .*'checksum'.*\n$/);
    expect(status).not.toBe(0);
  });

  it('have a command line that does the whole job', async () => {
    const { status, stdout } = await project.run(['npx', 'reposure', 'try']);
    expect(stdout.toString()).toContain('All of it worked');
    expect(status).toBe(0);
  });
});

describe('examples/pipelines/npm', () => {
  const released = async (script: string): Promise<string> => {
    const { status, stdout, stderr } = await project.run(['npm', 'run', script], world.env);
    const said = `${stdout.toString()}${stderr}`;
    if (status !== 0) throw new Error(`npm run ${script} ended with ${status}: ${said}`);
    return said;
  };

  it('releases by the library: what was pushed is what is deployed', async () => {
    const said = await released('release');
    const [, digest = ''] = /Pushed (sha256:\w+) by \w+: /.exec(said) ?? [];
    expect(await imageOf('hello')).toBe(`${pullHost}/team/hello@${digest}`);
    expect(await digestOf('team/hello:1.0.0')).toBe(digest);
  });

  it('releases the next version by the command line', async () => {
    await project.run(['npm', 'pkg', 'set', 'version=1.1.0']);
    await released('release:cli');
    const digest = await digestOf('team/hello:1.1.0');
    expect(digest).not.toBe(await digestOf('team/hello:1.0.0'));
    expect(await imageOf('hello')).toBe(`${pullHost}/team/hello@${digest}`);
    expect(await versionAt(kubernetes, 'default')).toBe('embedded');
  });
});

/** What a Deployment runs. */
async function imageOf(name: string): Promise<string | undefined> {
  const found = await kubernetes.get<Workload>(resourceTypes.Deployment, name, 'default');
  return found.spec.template.spec.containers[0]?.image;
}

interface Workload extends KubernetesObject {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly { readonly image: string }[] };
    };
  };
}

/** What the registry says a tag names. */
async function digestOf(name: string): Promise<string> {
  const words = ['image', 'list', 'default', name.replace(/:.*/, ''), '-o', 'json'];
  const listed = JSON.parse((await reposureOk(words, { env: world.env })).toString()) as {
    readonly tag: string;
    readonly digest: string;
  }[];
  return listed.find(({ tag }) => name.endsWith(`:${tag}`))?.digest ?? `no ${name}`;
}

/** As somebody else writes it, who sees nothing but the declarations. */
const program = `
import { explain, ReposureError } from '@reposure/core';
import { openRegistry } from '@reposure/core/client';
import { deploy, pinOf, readManifests, RolloutError } from '@reposure/core/deploy';
import { createRegistry, installOperator } from '@reposure/core/install';
import { openCluster } from '@reposure/core/kubernetes';
import { copy, listImages } from '@reposure/core/transfer';
import type { TransferResult } from '@reposure/core/transfer';

const cluster = await openCluster();
await installOperator(cluster, { namespace: cluster.namespace, wait: true });
await createRegistry(cluster, { name: 'default', namespace: cluster.namespace, provider: 'auto' });
const registry = await openRegistry(cluster, 'default', { route: 'proxy' });
try {
  const pushed: TransferResult = await registry.push('app.tar', 'team/app:1', { tags: ['latest'] });
  const digest: string = pushed.digest;
  for (const { repository, tag } of await listImages(registry.route)) console.log(repository, tag);
  await deploy(cluster, await readManifests(['k8s'], process.stdin), {
    namespace: 'default',
    images: [pinOf('app', pushed)],
  });
  console.log(digest, typeof copy);
} catch (error) {
  if (error instanceof RolloutError) console.log(error.failures[0]?.reason);
  if (error instanceof ReposureError) console.log(error.code, explain(error));
} finally {
  await registry.close();
}
`;

/** What declarations that say nothing would let pass. */
const mistakenProgram = `import type { TransferResult } from '@reposure/core/transfer';

export const absent = (pushed: TransferResult): string => pushed.checksum;
`;
