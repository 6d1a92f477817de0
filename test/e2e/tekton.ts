import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject } from '@reposure/core/kubernetes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { writeDockerArchive } from '../support/docker-archive.ts';
import { readTask } from '../support/tekton/resources.ts';
import type { ParamValue } from '../support/tekton/resources.ts';
import { runTask } from '../support/tekton/task-run.ts';
import type { TaskRunEnd } from '../support/tekton/task-run.ts';

/** A cluster with the operator, a simple registry with TLS and login, and the Registry `default`. */
export interface TektonWorld {
  readonly kubernetes: KubernetesClient;
  readonly namespace: string;
  /** The way in that the steps are asked to take. */
  readonly route: string;
  /** Of Pods: what a cluster that enforces it gives a step. */
  readonly securityContext?: Readonly<Record<string, unknown>>;
  /** Runs `reposure` in the namespace, from outside. */
  run(...words: readonly string[]): Promise<Buffer>;
}

interface Secret extends KubernetesObject {
  data?: Readonly<Record<string, string>>;
}

const noResults = { IMAGE_URL: '', IMAGE_DIGEST: '', IMAGE_REF: '', IMAGE_PULL_REF: '' };

/** The Tasks of `tekton-tasks/`, run as Tekton runs them. */
export function describeTekton(
  where: string,
  worldOf: () => TektonWorld,
  builderImages: readonly string[] = [],
): void {
  describe(`Tasks on ${where}`, () => {
    let folder: string;
    let pushed: TaskRunEnd;
    const source = { source: { configMap: { name: 'app' } } };
    const account = 'pipeline';
    const newObject = (type: string, called: string, rest: object = {}): KubernetesObject =>
      objectOf(type, { name: called, namespace: worldOf().namespace }, rest);

    const start = (
      task: string,
      params: Readonly<Record<string, ParamValue>>,
      workspaces: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {},
      serviceAccount = account,
    ): Promise<TaskRunEnd> => {
      const { kubernetes, namespace, route, securityContext } = worldOf();
      const input = {
        name: `${task}-${randomBytes(3).toString('hex')}`,
        namespace,
        params: { ...(task === 'reposure-install' ? {} : { ROUTE: route }), ...params },
        workspaces,
      };
      const place = { kubernetes, serviceAccount, ...(securityContext ? { securityContext } : {}) };
      return runTask(readTask(task), input, place);
    };

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'tekton-'));
      const { kubernetes, namespace } = worldOf();
      const { path } = await writeDockerArchive(join(folder, 'app.tar'), ['hello\n']);
      const app = (await readFile(path)).toString('base64');
      await kubernetes.create(
        newObject('v1 ConfigMap', 'app', {
          binaryData: { 'app.tar': app },
          data: { 'hello.txt': 'hello\n', Dockerfile: 'FROM scratch\nARG FILE\nCOPY $FILE /\n' },
        }),
      );
      for (const each of [account, 'nobody']) {
        await kubernetes.create(newObject('v1 ServiceAccount', each));
      }
      // As printed, and nothing else: no right is missing, and none is there by chance.
      const role = JSON.parse(
        (await worldOf().run('registry', 'role', 'default', '--direct', '-o', 'json')).toString(),
      );
      await kubernetes.apply(role);
      await kubernetes.create(
        newObject('rbac.authorization.k8s.io/v1 RoleBinding', 'pipeline', {
          roleRef: {
            apiGroup: 'rbac.authorization.k8s.io',
            kind: 'Role',
            name: role.metadata.name,
          },
          subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
        }),
      );
      const params = { IMAGE: 'team/app:1.2.3', SOURCE: 'app.tar', TAGS: ['1.2', 'latest'] };
      pushed = await start('reposure-push', params, source);
    });

    afterAll(() => rm(folder, { recursive: true, force: true }));

    it('push an archive, straight to the registry, and hand its names on', async () => {
      const { logs, results, succeeded } = pushed;
      expect({ succeeded, logs }).toMatchObject({ succeeded: true });
      expect(logs['push']).toMatch(/by direct: /);
      const list = (await worldOf().run('image', 'list', 'default', '-o', 'json')).toString();
      const { IMAGE_DIGEST: digest = '', IMAGE_REF: ref, IMAGE_URL: url } = results;
      expect(list.split(digest)).toHaveLength(4);
      expect(ref).toBe(`${url?.replace(/:1\.2\.3$/, '')}@${digest}`);
      expect(url).toMatch(/\.svc:5000\/team\/app:1\.2\.3$/);
      expect(results['IMAGE_PULL_REF']).toBe(`${pullHostOf(results)}/team/app@${digest}`);
      expect(chainsImagesOf(results)).toEqual([`${url}@${digest}`]);
    });

    it('promote by digest, with the way back, and refuse another digest', async () => {
      const { IMAGE_DIGEST: digest = '' } = pushed.results;
      const names = { SOURCE_IMAGE: 'team/app:1.2.3', IMAGE: 'team/app:prod' };
      const promoted = await start('reposure-copy', { ...names, DIGEST: digest });
      expect(promoted).toMatchObject({ succeeded: true });
      expect(promoted.results).toMatchObject({ IMAGE_DIGEST: digest, PREVIOUS_DIGEST: '' });
      const other = `sha256:${'0'.repeat(64)}`;
      const refused = await start('reposure-copy', { ...names, DIGEST: other });
      expect(refused.succeeded).toBe(false);
      expect(refused.logs['copy']).toMatch(/Nothing was written/);
      expect(refused.results).toEqual({ ...noResults, PREVIOUS_DIGEST: '' });
    });

    it('pull into an artifact, and push what is in it, without a volume that lasts', async () => {
      const { IMAGE_DIGEST: digest = '' } = pushed.results;
      const pulled = await start(
        'reposure-pull',
        { IMAGE: `team/app@${digest}`, ARTIFACT_IMAGE: 'team/files:run-1' },
        { source: { emptyDir: {} } },
      );
      expect(pulled).toMatchObject({ succeeded: true });
      const { SOURCE_ARTIFACT: artifact = '' } = pulled.results;
      expect(artifact).toMatch(/^oci:[^\n]+\/team\/files@sha256:[0-9a-f]{64}$/);
      const again = await start('reposure-push', {
        IMAGE: 'team/again:1',
        SOURCE_ARTIFACT: artifact,
      });
      expect(again).toMatchObject({ succeeded: true });
      expect(again.results['IMAGE_DIGEST']).toBe(digest);
    });

    it.each([
      [
        'an unbound workspace and no artifact',
        { IMAGE: 'team/app:2', SOURCE: 'app.tar' },
        {},
        /no artifact is named.*workspace "source"/s,
      ],
      [
        'a source that is not there',
        { IMAGE: 'team/app:2', SOURCE: 'none.tar' },
        source,
        /none\.tar/,
      ],
      [
        'a tag that names another image',
        { IMAGE: 'team/app:1.2.3', SOURCE: 'hello.txt', OVERWRITE: 'never', TAGS: [] },
        source,
        /it names sha256:.* already.*Nothing was written/s,
      ],
      [
        'a way in that is none',
        { IMAGE: 'a/b:1', ROUTE: 'sideways' },
        source,
        /auto, direct, proxy/,
      ],
      [
        'an artifact of another registry',
        { IMAGE: 'a/b:1', SOURCE_ARTIFACT: `oci:other.io/a@sha256:${'0'.repeat(64)}` },
        {},
        /want the Registry that it was pushed to/,
      ],
    ])(
      'say what is wrong with %s, fail, and leave results empty',
      async (_, params, spaces, said) => {
        const { logs, results, succeeded } = await start('reposure-push', params, spaces);
        expect(succeeded).toBe(false);
        expect(Object.values(logs).join('\n')).toMatch(said);
        expect(results).toEqual(noResults);
      },
    );

    // The order of the Pipeline: what was built, and nothing else, is what is promoted.
    it.each(builderImages)(
      'build with %s without privileges, and promote that',
      async (builderImage) => {
        const built = await start(
          'reposure-build',
          {
            IMAGE: 'team/built:1',
            BUILDER_IMAGE: builderImage,
            BUILD_EXTRA_ARGS: ['--build-arg=FILE=hello.txt'],
          },
          source,
        );
        expect(built).toMatchObject({ succeeded: true });
        const promoted = await start('reposure-copy', {
          SOURCE_IMAGE: 'team/built:1',
          IMAGE: 'team/built:prod',
          DIGEST: built.results['IMAGE_DIGEST'] ?? '',
        });
        expect(promoted).toMatchObject({ succeeded: true });
        expect(promoted.results['IMAGE_DIGEST']).toBe(built.results['IMAGE_DIGEST']);
      },
    );

    it('say which right is missing', async () => {
      const params = { IMAGE: 'team/app:2', SOURCE: 'app.tar' };
      const { logs, results, succeeded } = await start('reposure-push', params, source, 'nobody');
      expect(succeeded).toBe(false);
      expect(logs['push']).toMatch(/forbidden|not permitted|403/i);
      expect(results).toEqual(noResults);
    });

    it.each(['config.json', '.dockerconfigjson'])(
      'log in and trust by what workspaces hold (%s), with no right to read Secrets',
      async (key) => {
        const { kubernetes, namespace } = worldOf();
        const secretNamed = (secret: string): Promise<Secret> =>
          kubernetes.get<Secret>(resourceTypes.Secret, secret, namespace);
        const login =
          (await secretNamed('reposure-simple-login')).data?.['.dockerconfigjson'] ?? '';
        const ca = (await secretNamed('reposure-simple-authentication')).data?.['ca.crt'] ?? '';
        const secretName = `own${key.replaceAll('.', '-')}`;
        await kubernetes.create(newObject('v1 Secret', secretName, { data: { [key]: login } }));
        await kubernetes.apply(newObject('v1 ConfigMap', 'ca', { binaryData: { 'ca.crt': ca } }));
        await kubernetes.apply(
          newObject('rbac.authorization.k8s.io/v1 Role', 'registry', onlyTheRegistry),
        );
        await kubernetes.apply(
          newObject('rbac.authorization.k8s.io/v1 RoleBinding', 'nobody', {
            roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'registry' },
            subjects: [{ kind: 'ServiceAccount', name: 'nobody', namespace }],
          }),
        );
        const { logs, succeeded } = await start(
          'reposure-push',
          { IMAGE: `team/own:1`, SOURCE: 'app.tar' },
          {
            ...source,
            dockerconfig: { secret: { secretName } },
            'ssl-ca-directory': { configMap: { name: 'ca' } },
          },
          'nobody',
        );
        expect({ succeeded, logs }).toMatchObject({ succeeded: true });
      },
    );

    it('say that a docker config is for another host', async () => {
      const { kubernetes } = worldOf();
      const config = JSON.stringify({ auths: { 'other.io': { auth: 'YTpi' } } });
      await kubernetes.create(
        newObject('v1 Secret', 'other', { stringData: { 'config.json': config } }),
      );
      const spaces = {
        ...source,
        dockerconfig: { secret: { secretName: 'other' } },
        'ssl-ca-directory': { configMap: { name: 'ca' } },
      };
      const params = { IMAGE: 'team/app:2', SOURCE: 'app.tar', ROUTE: 'direct' };
      const { logs, results, succeeded } = await start('reposure-push', params, spaces, 'nobody');
      expect(succeeded).toBe(false);
      expect(logs['push']).toMatch(/has no login for reposure-simple\./);
      expect(results).toEqual(noResults);
    });
  });
}

/** `apiVersion kind` */
function objectOf(type: string, metadata: object, rest: object): KubernetesObject {
  const [apiVersion = '', kind = ''] = type.split(' ');
  return Object.assign({ apiVersion, kind, metadata: { name: '', ...metadata } }, rest);
}

const onlyTheRegistry = {
  rules: [
    {
      apiGroups: ['reposure.puccini.cloud'],
      resources: ['registries'],
      resourceNames: ['default'],
      verbs: ['get'],
    },
  ],
};

function pullHostOf({ IMAGE_PULL_REF: text = '' }: Readonly<Record<string, string>>): string {
  const host = text.slice(0, text.indexOf('/'));
  expect(host).toMatch(/:\d+$/);
  return host;
}

/**
 * What Chains would sign: results whose names end in `IMAGE_URL` and `IMAGE_DIGEST`, paired by what is
 * in front of it.
 *
 * @see https://github.com/tektoncd/chains/blob/v0.26.0/pkg/artifacts/signable.go
 */
function chainsImagesOf(results: Readonly<Record<string, string>>): string[] {
  const urls = Object.entries(results).filter(([key, value]) => key.endsWith('IMAGE_URL') && value);
  return urls.flatMap(([key, url]) => {
    const digest = results[`${key.slice(0, -'IMAGE_URL'.length)}IMAGE_DIGEST`]?.trim();
    return digest ? [`${url.trim()}@${digest}`] : [];
  });
}
