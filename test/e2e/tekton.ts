import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject } from '@reposure/core/kubernetes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { writeDockerArchive } from '../support/docker-archive.ts';
import { readSample, readTask } from '../support/tekton/resources.ts';
import type { ParamValue, Task } from '../support/tekton/resources.ts';
import { runTask } from '../support/tekton/task-run.ts';
import type { TaskRunEnd } from '../support/tekton/task-run.ts';
import { settings, stepActionResults, stepActionTask } from './step-actions.ts';

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
    /** What Tekton mounts for a workspace, and the Task is given for it. */
    type Volumes = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    type Params = Readonly<Record<string, ParamValue>>;
    const newObject = (type: string, called: string, rest: object = {}): KubernetesObject =>
      objectOf(type, { name: called, namespace: worldOf().namespace }, rest);

    const startTask = (
      task: Task,
      params: Params,
      workspaces: Volumes = {},
      serviceAccount = account,
    ): Promise<TaskRunEnd> => {
      const { kubernetes, namespace, securityContext } = worldOf();
      const name = `${task.metadata.name}-${randomBytes(3).toString('hex')}`;
      const place = { kubernetes, serviceAccount, ...(securityContext ? { securityContext } : {}) };
      return runTask(task, { name, namespace, params, workspaces }, place);
    };
    const start = (
      task: string,
      params: Params,
      workspaces?: Volumes,
      serviceAccount?: string,
    ): Promise<TaskRunEnd> =>
      startTask(readTask(task), { ROUTE: worldOf().route, ...params }, workspaces, serviceAccount);
    const bind = async (kind: string, role: string, serviceAccount: string): Promise<void> => {
      const { kubernetes, namespace } = worldOf();
      const apiGroup = 'rbac.authorization.k8s.io';
      await kubernetes.create(
        newObject(`${apiGroup}/v1 RoleBinding`, `${serviceAccount}-${role}`, {
          roleRef: { apiGroup, kind, name: role },
          subjects: [{ kind: 'ServiceAccount', name: serviceAccount, namespace }],
        }),
      );
    };
    /** Runs what the README of a Task shows, with what only the test knows. */
    const startSample = (task: string, params: Params = {}): Promise<TaskRunEnd> => {
      const { params: given = [], workspaces = [], serviceAccountName } = readSample(task).spec;
      const shown = Object.fromEntries(given.map(({ name, value }) => [name, value]));
      const volumes = Object.fromEntries(workspaces.map(({ name, ...volume }) => [name, volume]));
      return start(task, { ...shown, ...params }, volumes, serviceAccountName);
    };

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'tekton-'));
      const { kubernetes } = worldOf();
      const { path } = await writeDockerArchive(join(folder, 'app.tar'), ['hello\n']);
      const app = (await readFile(path)).toString('base64');
      await kubernetes.create(
        newObject('v1 ConfigMap', 'app', {
          binaryData: { 'app.tar': app },
          data: { 'hello.txt': 'hello\n', 'settings.yaml': settings },
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
      await bind('Role', role.metadata.name, account);
      // As the README of reposure-deploy has it.
      await bind('ClusterRole', 'edit', account);
      pushed = await startSample('reposure-push');
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
      const promoted = await startSample('reposure-copy', { DIGEST: digest });
      expect(promoted).toMatchObject({ succeeded: true });
      expect(promoted.results).toMatchObject({ IMAGE_DIGEST: digest, PREVIOUS_DIGEST: '' });
      const other = `sha256:${'0'.repeat(64)}`;
      const refused = await startSample('reposure-copy', { DIGEST: other });
      expect(refused.succeeded).toBe(false);
      expect(refused.logs['copy']).toMatch(/Nothing was written/);
      expect(refused.results).toEqual({ ...noResults, PREVIOUS_DIGEST: '' });
    });

    it('pull into an artifact, and push what is in it, without a volume that lasts', async () => {
      const { IMAGE_DIGEST: digest = '' } = pushed.results;
      const pulled = await startSample('reposure-pull', { IMAGE: `team/app@${digest}` });
      expect(pulled).toMatchObject({ succeeded: true });
      const { SOURCE_ARTIFACT: artifact = '' } = pulled.results;
      expect(artifact).toMatch(/^oci:[^\n]+\/team\/app-files@sha256:[0-9a-f]{64}$/);
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

    it('are of use as StepActions, of which one may fail', async () => {
      const { results, succeeded, logs } = await startTask(
        stepActionTask,
        { ROUTE: worldOf().route },
        source,
      );
      expect({ succeeded, logs }).toMatchObject({ succeeded: true });
      expect(logs['absent']).toMatch(/none\.tar[^]*::exit::1$/m);
      expect(results).toEqual(stepActionResults(pushed.results['IMAGE_DIGEST'] ?? ''));
    });

    it.each(builderImages)('build with %s without privileges, of an artifact', async (builder) => {
      const context = join(folder, 'context');
      await mkdir(context);
      await writeFile(join(context, 'Dockerfile'), 'FROM scratch\nARG FILE\nCOPY $FILE /\n');
      await writeFile(join(context, 'hello.txt'), 'hello\n');
      const artifact = join(folder, 'artifact');
      await worldOf().run('artifact', 'create', 'default', 'team/src:1', `${artifact}=${context}`);
      const built = await startSample('reposure-build', {
        SOURCE_ARTIFACT: await readFile(artifact, 'utf8'),
        BUILDER_IMAGE: builder,
        BUILD_ARGS: ['', 'FILE=hello.txt'],
      });
      expect(built).toMatchObject({ succeeded: true });
      expect(built.results['IMAGE_DIGEST']).toMatch(/^sha256:/);
    });

    it('refuse results that are larger than Tekton takes, before anything is built', async () => {
      const params = { IMAGE: 'team/built:1', BUILD_ARGS: [`X=${'x'.repeat(4096)}`] };
      const builder = { BUILDER_IMAGE: readTask('reposure-build').spec.stepTemplate?.image ?? '' };
      const end = await start('reposure-build', { ...params, ...builder }, source);
      expect(end.succeeded).toBe(false);
      expect(end.logs['options']).toMatch(/want at most 4096/);
      expect(end.logs['build']).toMatch(/skipped: previous step failed/);
      expect(end.results).toEqual(noResults);
    });

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
        if (key === 'config.json') await bind('Role', 'registry', 'nobody');
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
