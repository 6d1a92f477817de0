import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { nodePath } from '@reposure/core/build';
import { checkPull, DeployResult } from '@reposure/core/deploy';
import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesObject } from '@reposure/core/kubernetes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { reposure } from '../support/cli.ts';
import { startRealWorld } from '../support/real-world.ts';
import type { RealWorld } from '../support/real-world.ts';
import { runningImages, sampleApp, versionAt } from '../support/sample-app.ts';
import { tool } from '../support/tools.ts';

let world: RealWorld;
let folder: string;

beforeAll(async () => {
  world = await startRealWorld();
  folder = await mkdtemp(join(tmpdir(), 'deploy-'));
  await world.run('operator', 'install', '--wait');
  await world.run('simple', 'install', '--node-port', '--wait');
  await world.run('registry', 'create', 'default', '--provider=simple', '--wait');
});

afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

/** Builds a version of the sample application and pushes it. @returns the file with the result. */
const pushed = async (version: string, fails?: string): Promise<string> => {
  const archive = join(folder, `${version}.tar`);
  const words = ['--version', version, '--to', `oci-archive:${archive}`];
  if (fails !== undefined) words.push('--fails', fails);
  await tool(process.execPath, join(sampleApp, 'build.ts'), ...words);
  const result = join(folder, `${version}.json`);
  const name = `team/hello:${version}`;
  await writeFile(result, await world.run('image', 'push', 'default', name, archive, '-o', 'json'));
  return result;
};
/** The same result with a digest that was never pushed. */
const absent = async (file: string): Promise<string> => {
  const result = JSON.parse(await readFile(file, 'utf8')) as object;
  const elsewhere = join(folder, 'absent.json');
  await writeFile(elsewhere, JSON.stringify({ ...result, digest: `sha256:${'0'.repeat(64)}` }));
  return elsewhere;
};
const deploy = (file: string, ...more: string[]) =>
  reposure([
    '-n',
    world.namespace,
    'deploy',
    '-f',
    join(sampleApp, 'k8s'),
    '--image',
    `hello=@${file}`,
    ...more,
  ]);
const answer = (): Promise<string> => versionAt(world.kubernetes, world.namespace);
const imageIds = (): Promise<string> => runningImages(world.kubernetes, world.namespace);

describe('reposure deploy on a real cluster', () => {
  it('runs what was pushed, from its digest, and then the next version, while requests are answered', async () => {
    const first = await deploy(await pushed('1'));
    expect(first.stderr + first.stdout.toString()).toContain('Everything runs');
    expect(await answer()).toBe('1');
    const { answers, result } = await whileAsked(async () => deploy(await pushed('2')));
    expect(result.status).toBe(0);
    expect(answers.failed).toEqual([]);
    expect(await answer()).toBe('2');
    const [, digest = ''] = /@(sha256:[0-9a-f]+)/.exec(result.stdout.toString()) ?? [];
    expect(await imageIds()).toContain(digest);
  });

  it.each([
    [
      'an image that is not there',
      'absent',
      /cannot pull localhost:\d+\/team\/hello@sha256:\w+: .*not found; the registry does not have it/,
    ],
    [
      'one that crashes',
      'crash',
      /ended with exit code 3, \d+ times; the end of its log: Cannot read \/etc\/hello\/settings\.json/,
    ],
    [
      'one that never becomes ready',
      'ready',
      /runs, but is not ready: Readiness probe failed: HTTP probe failed with statuscode: 503; the end of its log: hello 3-ready listens/,
    ],
  ])('%s: names the cause, rolls back, and no request is lost', async (_, fails, cause) => {
    const file =
      fails === 'absent' ? await absent(join(folder, '2.json')) : await pushed(`3-${fails}`, fails);
    const { answers, result } = await whileAsked(() =>
      deploy(
        file,
        '--rollback',
        '--timeout',
        fails === 'ready' ? '20s' : '2m',
        '--fail-after',
        '3s',
      ),
    );
    expect(result.stderr).toMatch(cause);
    expect(result.stderr).toMatch(/Rolled back: Deployment \S+\/hello/);
    expect(result.status).toBe(1);
    expect(answers.failed).toEqual([]);
    expect(answers.of).toEqual({ 2: expect.any(Number) });
  });
});

describe('reposure deploy of other kinds', () => {
  const labels = { 'app.kubernetes.io/name': 'other' };
  const templateOf = (more: object, container: object = {}): object => ({
    metadata: { labels },
    spec: { containers: [{ name: 'hello', image: 'hello', ...container }], ...more },
  });
  const setOf = (kind: 'StatefulSet' | 'DaemonSet'): object => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'other' },
    spec: {
      ...(kind === 'StatefulSet' ? { serviceName: 'other' } : {}),
      selector: { matchLabels: labels },
      template: templateOf({ terminationGracePeriodSeconds: 0 }),
    },
  });
  const jobOf = (name: string, exitCode: number): object => {
    const command = [`/${nodePath}`, '--eval', `process.exit(${exitCode})`];
    const template = templateOf({ restartPolicy: 'Never' }, { command });
    return {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name },
      spec: { backoffLimit: 0, template },
    };
  };
  const deployOf = async (...objects: object[]) => {
    const file = join(folder, 'kinds.json');
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    const image = `hello=@${await pushed('5')}`;
    const words = ['-f', file, '--image', image, '--rollback', '--fail-after', '1s', '-o', 'json'];
    const { status, stdout, stderr } = await reposure(['-n', world.namespace, 'deploy', ...words]);
    return { status, stderr, result: DeployResult.parse(JSON.parse(stdout.toString())) };
  };

  it('waits until they run, and Jobs until they are done', async () => {
    const objects = [setOf('StatefulSet'), setOf('DaemonSet'), jobOf('done', 0)];
    const { status, result } = await deployOf(...objects);
    expect(result).toMatchObject({ waited: true, images: [{ name: 'hello' }] });
    expect(status).toBe(0);
    const { kubernetes, namespace } = world;
    const done = await kubernetes.get<KubernetesObject>(resourceTypes.Job, 'done', namespace);
    expect(done['status']).toMatchObject({ succeeded: 1 });
  });

  it('says how a Job failed, and takes it away', async () => {
    const { status, stderr, result } = await deployOf(jobOf('failing', 4));
    expect(stderr).toMatch(/Cannot roll out Job \S+\/failing: .*exit code 4/);
    expect(result).toMatchObject({
      failures: [{ object: `Job ${world.namespace}/failing` }],
      rollback: { state: 'done', objects: [`Job ${world.namespace}/failing (deleted)`] },
    });
    expect(status).toBe(1);
  });
});

describe('checkPull() on a real cluster', () => {
  const check = async (file: string): Promise<void> => {
    const { repository, digest, pullRefs } = JSON.parse(await readFile(file, 'utf8')) as {
      repository: string;
      digest: string;
      pullRefs: readonly string[];
    };
    const [host = ''] = (pullRefs[0] ?? '').split('/');
    await checkPull(world.kubernetes, {
      image: `${host}/${repository}@${digest}`,
      namespace: world.namespace,
      pod: 'pull-check',
      timeoutMs: 60_000,
    });
  };
  const findPod = () => world.kubernetes.find(resourceTypes.Pod, 'pull-check', world.namespace);

  it('has a node pull what was pushed, and says why it cannot pull what was not', async () => {
    const file = await pushed('4');
    await check(file);
    await expect.poll(findPod).toBeUndefined();
    await expect(check(await absent(file))).rejects.toThrow(
      /Cannot verify the pull: .*not found; the registry does not have it/,
    );
    await expect.poll(findPod).toBeUndefined();
  });
});

/** Asks the application all the while. */
async function whileAsked<T>(work: () => Promise<T>) {
  const answers = { of: {} as Record<string, number>, failed: [] as unknown[] };
  const over = new AbortController();
  const asking = (async () => {
    while (!over.signal.aborted) {
      await answer().then(
        (version) => (answers.of[version] = (answers.of[version] ?? 0) + 1),
        (error: unknown) => answers.failed.push(error),
      );
    }
  })();
  try {
    return { result: await work(), answers };
  } finally {
    over.abort();
    await asking;
  }
}
