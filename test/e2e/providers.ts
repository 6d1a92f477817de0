import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { wakeKubelets } from '@reposure/core/install';
import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesObject } from '@reposure/core/kubernetes';
import { conditionOf, names } from '@reposure/core/resource';
import type { Condition, Registry } from '@reposure/core/resource';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { kubectls } from '../support/kubectl.ts';
import {
  fillServiceCa,
  standInKind,
  standInMicrok8s,
  standInMinikube,
  standInOpenShift,
} from '../support/stand-ins.ts';
import type { ApiAccess, OpenShiftStandIn, StandIn } from '../support/stand-ins.ts';
import { openUserShell } from '../support/user-shell.ts';
import type { ClusterWorld, UserShell } from '../support/user-shell.ts';

/** A cluster whose API a Pod can reach, too. */
export interface ProviderWorld extends ClusterWorld {
  readonly api: ApiAccess;
}

/**
 * Registries that clusters come with. The products do not run here: each is a stand-in that is built
 * of the product's own manifests and sources, named in `test/support/cluster-registries.ts`,
 * `stand-ins.ts` and `openshift/stand-in.mjs`.
 */
export function describeProviders(title: string, world: () => ProviderWorld): void {
  describe(`${title}, with stand-ins for the registries of clusters`, { timeout: 120_000 }, () => {
    let shell: UserShell;

    beforeAll(async () => {
      shell = await openUserShell(world());
      await writeFile(join(shell.directory, 'hello.txt'), 'hello\n');
      await shell.ok('reposure operator install --wait');
    });

    afterAll(async () => {
      await shell?.close();
    });

    describe('minikube', () => {
      describePlain(() => shell, {
        provider: 'minikube',
        flag: 'auto',
        standIn: standInMinikube,
        said: /the provider is minikube: found Service kube-system\/registry/,
        pullHost: 'localhost:5000',
      });
    });
    describe('MicroK8s', () => {
      describePlain(() => shell, {
        provider: 'microk8s',
        flag: 'auto',
        standIn: standInMicrok8s,
        said: /the provider is microk8s: found Service container-registry\/registry/,
        pullHost: 'localhost:32000',
      });
    });
    describe.skipIf(kubectls().length === 0)('kind', () => {
      describeKind(() => shell);
    });
    describe.skipIf(kubectls().length === 0)('OpenShift', () => {
      describeOpenShift(
        () => shell,
        () => world().api,
      );
    });
  });
}

interface Plain {
  readonly provider: string;
  /** What a person types. */
  readonly flag: string;
  readonly standIn: (kubernetes: UserShell['kubernetes']) => Promise<StandIn>;
  readonly said: RegExp;
  readonly pullHost: string;
}

function describePlain(shell: () => UserShell, plain: Plain): void {
  const { provider, flag, said, pullHost } = plain;
  let standIn: StandIn;

  beforeAll(async () => {
    standIn = await plain.standIn(shell().kubernetes);
  });

  afterAll(async () => {
    await shell().ok(`reposure registry delete ${provider} --wait`);
    await standIn?.close();
  });

  it(`is found by --provider=${flag}, becomes ready, and takes and gives an image`, async () => {
    const { status, stderr } = await shell().run(
      `reposure registry create ${provider} --provider=${flag} --wait`,
    );
    expect([status, stderr]).toEqual([0, expect.stringMatching(said)]);
    const registry = await registryNamed(shell(), provider);
    expect(registry.spec.provider).toBe(provider);
    expect(registry.status).toMatchObject({ provider, pullHost });
    expect(conditionOf(registry, 'NodePullable')).toMatchObject({ status: 'True' });
    // The operator has no rights in the registry's namespace: it goes by the name.
    expect(conditionOf(registry, 'Resolved')?.message).toContain('was not looked at');
    await pushAndPull(shell(), provider, 'team/hello');
  });
}

function describeKind(shell: () => UserShell): void {
  let standIn: StandIn;

  beforeAll(async () => {
    const { kubernetes, namespace } = shell();
    standIn = await standInKind(kubernetes, namespace);
  });

  afterAll(async () => {
    const { kubernetes, namespace, ok } = shell();
    const role = `reposure-operator-${namespace}`;
    for (const type of [resourceTypes.RoleBinding, resourceTypes.Role]) {
      await kubernetes.delete(type, role, 'kube-public');
    }
    await ok('reposure registry delete kind --wait');
    await standIn?.close();
  });

  it('says which right the operator lacks, and becomes ready once it has it', async () => {
    await shell().ok('reposure registry create kind --provider=auto');
    const condition = (): Promise<Condition | undefined> =>
      conditionNow(shell(), 'kind', 'Resolved');
    await expect.poll(condition, { timeout: 30_000 }).toMatchObject({ reason: 'NotPermitted' });
    const { message = '' } = (await condition()) ?? {};
    const [, command = ''] = /let it: (.*)$/.exec(message) ?? [];
    await shell().ok(command);
    await shell().ok('reposure registry create kind --provider=auto --wait');
    expect((await registryNamed(shell(), 'kind')).status).toMatchObject({
      provider: 'local-registry',
      pushHost: 'kind-registry:5000',
      pullHost: 'localhost:5001',
    });
    await pushAndPull(shell(), 'kind', 'team/hello');
  });
}

function describeOpenShift(shell: () => UserShell, api: () => ApiAccess): void {
  let standIn: OpenShiftStandIn;
  const fill = (): Promise<void> =>
    fillServiceCa(shell().kubernetes, shell().namespace, standIn.ca);

  beforeAll(async () => {
    standIn = await standInOpenShift(shell().kubernetes, api());
  });

  afterAll(async () => {
    const { kubernetes, namespace, ok } = shell();
    await ok('reposure registry delete openshift --wait');
    await kubernetes.delete(resourceTypes.Registry, 'outside', namespace);
    await standIn?.close();
  });

  it('trusts nothing before the service CA is there', async () => {
    await shell().ok('reposure registry create openshift --provider=auto');
    const condition = (): Promise<Condition | undefined> =>
      conditionNow(shell(), 'openshift', 'Ready');
    await expect.poll(condition, { timeout: 30_000 }).toMatchObject({ reason: 'ServiceCaMissing' });
    const { kubernetes, namespace } = shell();
    const pod = await kubernetes.find<KubernetesObject>(
      resourceTypes.Pod,
      names.surrogatePod('openshift'),
      namespace,
    );
    expect(pod?.['status'] ?? {}).not.toMatchObject({ phase: 'Running' });
  });

  it('becomes ready, and takes and gives an image, with a token of the surrogate’s account', async () => {
    await fill();
    await shell().ok('reposure registry create openshift --provider=openshift --wait');
    expect(await conditionNow(shell(), 'openshift', 'CredentialsValid')).toMatchObject({
      message: 'The registry accepts the token of the ServiceAccount reposure-surrogate-openshift',
    });
    await pushAndPull(shell(), 'openshift', `${shell().namespace}/hello`, ['exec', 'proxy']);
    const ca = await shell().ok('reposure registry info openshift cert');
    expect(ca.trim()).toBe(standIn.ca.trim());
  });

  it('lists by image streams, and deletes by image stream tags', async () => {
    const { ok, run, namespace } = shell();
    expect(await ok('reposure image list openshift -o name')).toBe(`${namespace}/hello:1\n`);
    await ok(`reposure image delete openshift ${namespace}/hello:1`);
    expect(await ok('reposure image list openshift -o name')).toBe('');
    const { status, stderr } = await run(`reposure image delete openshift ${namespace}/hello:1`);
    expect([status, stderr]).toEqual([1, expect.stringContaining('no such image')]);
  });

  it.each([
    ['hello:1', /another project/],
    ['a/b/c:1', /want PROJECT\/NAME/],
  ])('refuses the name %s before it sends anything', async (name, message) => {
    const { status, stderr } = await shell().run(`reposure image push openshift ${name} hello.txt`);
    expect([status, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it('says what the account lacks when it may no longer push', async () => {
    const { kubernetes, namespace, run, ok } = shell();
    await kubernetes.delete(resourceTypes.RoleBinding, names.imageBuilder('openshift'), namespace);
    const pushed = await run(`reposure image push openshift ${namespace}/hello:2 hello.txt`);
    expect(pushed.status).toBe(1);
    await touch(shell(), 'openshift');
    await expect
      .poll(() => conditionNow(shell(), 'openshift', 'CredentialsValid'), { timeout: 30_000 })
      .toMatchObject({
        reason: 'AccountMayNotPush',
        message: expect.stringContaining(`-z reposure-surrogate-openshift -n ${namespace}`),
      });
    await ok('reposure registry create openshift --provider=openshift --wait');
    await ok(`reposure image push openshift ${namespace}/hello:2 hello.txt`);
  });

  describe('the stand-in itself', () => {
    it('refuses another host', async () => {
      const answer = await shell().kubernetes.requestService({
        namespace: 'openshift-image-registry',
        service: 'https:image-registry:5000',
        method: 'GET',
        path: '/v2/',
        headers: async () => ({}),
        isFromService: () => true,
      });
      await answer.discard();
      expect(answer.status).toBe(421);
    });

    it('refuses a wrong token, and a right one for a name of another form', async () => {
      const { kubernetes, namespace, ok, run } = shell();
      const login = (token: string): Promise<unknown> =>
        kubernetes.apply<KubernetesObject>({
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: {
            name: 'outside',
            namespace,
            labels: { 'reposure.puccini.cloud/registry': 'outside' },
          },
          stringData: { token: token, 'ca.crt': standIn.ca },
        });
      await login('not-a-token');
      await ok(
        'reposure registry create outside --service image-registry --service-namespace openshift-image-registry --tls-secret outside --login-secret outside',
      );
      await expect
        .poll(() => conditionNow(shell(), 'outside', 'CredentialsValid'), { timeout: 60_000 })
        .toMatchObject({ reason: 'Refused' });
      await login((await ok('kubectl create token reposure-surrogate-openshift')).trim());
      // Or its kubelet hands it over at its next round.
      await wakeKubelets(kubernetes, namespace);
      await touch(shell(), 'outside');
      await ok(
        'reposure registry create outside --service image-registry --service-namespace openshift-image-registry --tls-secret outside --login-secret outside --wait',
      );
      await ok(`reposure image push outside ${namespace}/outside:1 hello.txt`);
      const other = await run('reposure image push outside a/b/c:1 hello.txt');
      expect([other.status, other.stderr]).toEqual([
        1,
        expect.stringContaining('/v2/a/b/c/manifests/1 answered 400'),
      ]);
    });
  });
}

async function pushAndPull(
  { ok }: UserShell,
  registry: string,
  repository: string,
  routes: readonly string[] = ['exec'],
): Promise<void> {
  for (const route of routes) {
    await ok(`reposure image push ${registry} ${repository}:1 hello.txt --route=${route}`);
    expect(
      await ok(`reposure image pull ${registry} ${repository}:1 --unpack --route=${route}`),
    ).toBe('hello\n');
  }
}

async function registryNamed(
  { kubernetes, namespace }: UserShell,
  name: string,
): Promise<Registry> {
  return kubernetes.get<Registry>(resourceTypes.Registry, name, namespace);
}

async function conditionNow(
  shell: UserShell,
  name: string,
  type: string,
): Promise<Condition | undefined> {
  return conditionOf(await registryNamed(shell, name), type);
}

/** So that nobody waits for the operator to look by itself. */
async function touch(shell: UserShell, name: string): Promise<void> {
  const registry = await registryNamed(shell, name);
  const annotations = { touched: `${Date.now()}` };
  await shell.kubernetes.replace({
    ...registry,
    metadata: { ...registry.metadata, annotations },
  });
}
