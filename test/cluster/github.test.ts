import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { resourceTypes } from '@reposure/core/kubernetes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';

import { buildWithBuildkit } from '../support/buildkit.ts';
import { startNodeMirror } from '../support/node-mirror.ts';
import type { NodeMirror } from '../support/node-mirror.ts';
import { startRealWorld } from '../support/real-world.ts';
import type { RealWorld } from '../support/real-world.ts';
import { runningImages, versionAt } from '../support/sample-app.ts';
import { scopedKubeconfig } from '../support/scoped-kubeconfig.ts';
import { hasTool } from '../support/tools.ts';
import { repositoryName, startWorkflowRepository } from '../support/workflow-repository.ts';
import type { WorkflowRepository } from '../support/workflow-repository.ts';

const isEquipped = hasTool('act', 'buildah', 'podman', 'git', 'kubectl');

describe.skipIf(!isEquipped)(
  'examples/pipelines/github (needs act, buildah, podman, kubectl)',
  () => {
    let world: RealWorld;
    let folder: string;
    let mirror: NodeMirror;
    let repository: WorkflowRepository;
    /** That workflows make. */
    const namespaces = (): string[] =>
      ['dev', 'stage', 'prod', 'pr-7'].map((stage) => `${world.namespace}-${stage}`);

    beforeAll(async () => {
      world = await startRealWorld();
      folder = await mkdtemp(join(tmpdir(), 'github-'));
      const { KUBECONFIG = '' } = await scopedKubeconfig(world, folder);
      mirror = await startNodeMirror(folder);
      const kubeconfig = await readFile(KUBECONFIG, 'utf8');
      repository = await startWorkflowRepository(folder, kubeconfig, mirror.env);
      await world.run('operator', 'install', '--wait');
      await world.run('simple', 'install', '--node-port', '--wait');
      await world.run('registry', 'create', 'default', '--provider=simple', '--wait');
    }, 300_000);

    afterAll(async () => {
      await mirror.close();
      for (const name of namespaces()) await world.kubernetes.delete(resourceTypes.Namespace, name);
      await world.close();
      await rm(folder, { recursive: true, force: true });
    });

    const digestOf = async (image: string, tag: string): Promise<string> => {
      const said = await world.run('image', 'list', 'default', image, '-o', 'json');
      const listed = JSON.parse(said.toString()) as { tag: string; digest: string }[];
      return listed.find((each) => each.tag === tag)?.digest ?? `no ${image}:${tag}`;
    };
    /** The version that answers, and what Pods run or mount. */
    const running = async (
      namespace = world.namespace,
    ): Promise<{ version: string; images: string }> => ({
      version: await versionAt(world.kubernetes, namespace),
      images: await runningImages(world.kubernetes, namespace),
    });
    const expected = (version: string, digest: string): object => ({
      version,
      images: expect.stringContaining(digest),
    });

    it.each([
      ['buildah.yml', 'team/hello'],
      ['platforms.yml', 'team/hello'],
      ['bridge.yml', 'team/hello'],
      ['files.yml', 'team/hello-files'],
    ])('%s ends with the new version, from the digest that was pushed', async (name, image) => {
      const version = await repository.run(name);
      expect(await running()).toEqual(expected(version, await digestOf(image, version)));
    });

    it.skipIf(!hasTool('buildkitd', 'buildctl'))(
      'build-push-action.yml, from what BuildKit built (needs buildkitd, buildctl)',
      async () => {
        const version = await repository.run('build-push-action.yml', {
          name: 'push',
          edit: withoutDocker,
          prepare: async (commit) =>
            buildWithBuildkit({
              context: repository.directory,
              version: commit,
              to: join(repository.directory, 'hello.tar'),
              folder,
              mirror,
            }),
        });
        expect(await running()).toEqual(expected(version, await digestOf('team/hello', version)));
      },
    );

    it('promote.yml runs one digest in every stage', async () => {
      const variables = { NAMESPACE: world.namespace };
      const version = await repository.run('promote.yml', { name: 'push', variables });
      const digest = await digestOf('team/hello', version);
      for (const stage of ['dev', 'stage', 'prod']) {
        expect(await digestOf('team/hello', stage)).toBe(digest);
        expect(await running(`${world.namespace}-${stage}`)).toEqual(expected(version, digest));
      }
    });

    it('preview.yml makes a namespace, and takes it away', async () => {
      const head = { repo: { full_name: repositoryName } };
      const event = (action: string) => ({
        name: 'pull_request' as const,
        payload: { action, number: 7, pull_request: { number: 7, head }, repository: head.repo },
        variables: { NAMESPACE: world.namespace },
      });
      const version = await repository.run('preview.yml', event('opened'));
      const namespace = `${world.namespace}-pr-7`;
      const digest = await digestOf('team/hello', 'pr-7');
      expect(await running(namespace)).toEqual(expected(`pr-7-${version}`, digest));
      await repository.run('preview.yml', event('closed'));
      expect(await world.kubernetes.find(resourceTypes.Namespace, namespace)).toBeUndefined();
      expect(await digestOf('team/hello', 'pr-7')).toBe('no team/hello:pr-7');
    });
  },
);

/** Docker's actions cannot be had here: what they build lies there already. */
function withoutDocker(text: string): string {
  const workflow = parse(text) as { jobs: { release: { steps: { uses?: string }[] } } };
  const { release } = workflow.jobs;
  release.steps = release.steps.filter(({ uses }) => !uses?.startsWith('docker/'));
  return stringify(workflow);
}
