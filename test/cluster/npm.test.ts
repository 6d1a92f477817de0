import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesObject } from '@reposure/core/kubernetes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startNpmProject } from '../support/npm-packages.ts';
import type { NpmProject } from '../support/npm-packages.ts';
import { startRealWorld } from '../support/real-world.ts';
import type { RealWorld } from '../support/real-world.ts';
import { runningImages, versionAt } from '../support/sample-app.ts';
import { scopedKubeconfig } from '../support/scoped-kubeconfig.ts';

let world: RealWorld;
let folder: string;
let project: NpmProject;
let env: Record<string, string>;

beforeAll(async () => {
  world = await startRealWorld();
  folder = await mkdtemp(join(tmpdir(), 'npm-'));
  env = await scopedKubeconfig(world, folder);
  const preparing = (async () => {
    await world.run('operator', 'install', '--wait');
    await world.run('simple', 'install', '--node-port', '--wait');
    await world.run('registry', 'create', 'default', '--provider=simple', '--wait');
  })();
  [project] = await Promise.all([startNpmProject(folder), preparing]);
}, 300_000);

afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

describe('examples/pipelines/npm on a real cluster', () => {
  /** Sets the project's version and runs a script of it. @returns what it said. */
  const released = async (version: string, script: string): Promise<string> => {
    await project.run(['npm', 'pkg', 'set', `version=${version}`]);
    const { status, stdout, stderr } = await project.run(['npm', 'run', script], env);
    const said = `${stdout.toString()}${stderr}`;
    if (status !== 0) throw new Error(`npm run ${script} ended with ${status}: ${said}`);
    return said;
  };
  const expectRunning = async (version: string): Promise<void> => {
    const tags = await world.run('image', 'list', 'default', 'team/hello', '-o', 'json');
    const listed = JSON.parse(tags.toString()) as { tag: string; digest: string }[];
    const pushed = listed.find(({ tag }) => tag === version);
    expect(await versionAt(world.kubernetes, world.namespace)).toBe(version);
    expect(await runningImages(world.kubernetes, world.namespace)).toContain(pushed?.digest);
  };

  it('releases by the library', async () => {
    expect(await released('1.0.0', 'release')).toContain('Deployment hello created');
    await expectRunning('1.0.0');
  });

  it('releases the next version by the command line', async () => {
    expect(await released('1.1.0', 'release:cli')).toContain('Everything runs');
    await expectRunning('1.1.0');
  });

  it('releases as a Job in the cluster, straight to the registry', async () => {
    await released('1.2.0', 'release:job');
    await expectRunning('1.2.0');
    expect(await logOf('hello-release')).toMatch(
      /Pushed sha256:\w+ by direct: inside the registry/,
    );
  });
});

/** What the Pod of a Job said. */
async function logOf(job: string): Promise<string> {
  const { kubernetes, namespace } = world;
  const labelSelector = `batch.kubernetes.io/job-name=${job}`;
  const pods = await kubernetes.list<KubernetesObject>(resourceTypes.Pod, {
    namespace,
    labelSelector,
  });
  const pod = pods.items[0]?.metadata.name ?? '';
  const chunks = await Array.fromAsync(kubernetes.logs(pod, namespace), (chunk) =>
    Buffer.from(chunk),
  );
  return Buffer.concat(chunks).toString();
}
