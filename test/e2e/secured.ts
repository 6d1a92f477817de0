import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { operatorObjects, wakeKubelets } from '@reposure/core/install';
import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesObject, ResourceType } from '@reposure/core/kubernetes';
import { conditionOf, names } from '@reposure/core/resource';
import type { Condition, Registry } from '@reposure/core/resource';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openUserShell } from '../support/user-shell.ts';
import type { ClusterWorld, UserShell } from '../support/user-shell.ts';
import { describeRoles } from './roles.ts';
import { confidencesOf, givenAwayBy } from './secrets-inspection.ts';
import type { Confidences, Secret } from './secrets-inspection.ts';

/** A shell with a registry that has TLS and a login, and what nobody may see of it. */
export interface SecuredPlace extends UserShell {
  readonly confidences: Confidences;
}

interface Pod extends KubernetesObject {
  spec: {
    serviceAccountName: string;
    automountServiceAccountToken: boolean;
    securityContext: object;
    containers: { env?: unknown[]; securityContext: object }[];
    volumes: {
      name: string;
      secret?: { secretName: string; items?: unknown[] };
      projected?: { sources: { secret: { name: string; items: { key: string }[] } }[] };
    }[];
  };
}

/**
 * A registry with TLS and a login that the surrogate alone holds: what works, and what nobody sees.
 *
 * @param more Registers further tests, which run while the registry is there.
 */
export function describeSecured(
  title: string,
  world: () => ClusterWorld,
  more: (place: () => SecuredPlace) => void = () => {},
): void {
  describe(`${title}, with a registry that asks for TLS and a login`, { timeout: 120_000 }, () => {
    let place: SecuredPlace;

    beforeAll(async () => {
      place = await openSecuredPlace(world());
    });

    afterAll(async () => {
      await place?.close();
    });

    describe('what nobody sees', () => {
      describeConfidence(() => place);
    });
    describe('what may be done', () => {
      describeRights(() => place);
      describeRoles(() => place);
    });
    more(() => place);
    describe('a login that is changed', () => {
      describeRotation(() => place);
    });
  });
}

async function openSecuredPlace(world: ClusterWorld): Promise<SecuredPlace> {
  const place = await openUserShell(world);
  await Promise.all([
    place.ok('reposure operator install --wait'),
    place.ok('reposure simple install --tls --login --wait'),
  ]);
  await place.ok('reposure registry create secure --provider=simple --wait');
  await writeFile(join(place.directory, 'hello.txt'), 'hello\n');
  const confidences = await confidencesOf(place.kubernetes, place.namespace, 'secure');
  return { ...place, confidences };
}

function describeConfidence(place: () => SecuredPlace): void {
  const inspect = (text: string): string[] => givenAwayBy(text, place().confidences);

  it('is found where it is: the inspection knows every form of it', async () => {
    const { kubernetes, namespace, confidences } = place();
    const { items } = await kubernetes.list<Secret>(resourceTypes.Secret, { namespace });
    const values = items.flatMap(({ data }) => Object.values(data));
    const decoded = values.map((value) => Buffer.from(value, 'base64').toString());
    expect(inspect([...values, ...decoded].join('\n'))).toEqual([...confidences.keys()]);
    for (const secret of confidences.values()) expect(secret.length).toBeGreaterThan(16);
  });

  it.each(['exec', 'proxy'])(
    'is not told by a push and a pull by %s, however talkative',
    async (via) => {
      const pushed = await place().run(
        `reposure image push secure team/hello:1 hello.txt --route=${via} -v -o json`,
      );
      expect(JSON.parse(pushed.stdout.toString())).toMatchObject({ route: { via } });
      const pulled = await place().run(
        `reposure image pull secure team/hello:1 --unpack --route=${via} -v`,
      );
      expect(pulled.stdout.toString()).toBe('hello\n');
      const said = [pushed.stdout, pushed.stderr, pulled.stderr].join('\n');
      expect(said).toContain(via);
      expect(inspect(said)).toEqual([]);
    },
  );

  it('is in no object but the Secrets', async () => {
    const { kubernetes, namespace } = place();
    const found: string[] = [];
    for (const type of namespacedTypes) {
      const { items } = await kubernetes.list(type, { namespace });
      found.push(...items.map(({ metadata }) => `${type.kind} ${metadata.name}`));
      for (const object of items) {
        expect(inspect(JSON.stringify(object)), `${type.kind} ${object.metadata.name}`).toEqual([]);
      }
    }
    expect(found).toEqual(
      expect.arrayContaining([
        'Registry secure',
        'Pod reposure-surrogate-secure-0',
        'StatefulSet reposure-surrogate-secure',
        'ConfigMap reposure-surrogate-secure',
        'Deployment reposure-simple',
        'Deployment reposure-operator',
      ]),
    );
  });

  it('is in no log', async () => {
    const commands = ['operator logs', 'registry logs secure', 'simple logs'];
    const logs = await Promise.all(commands.map((each) => place().ok(`reposure ${each}`)));
    expect(logs).not.toContain('');
    expect(inspect(logs.join('\n'))).toEqual([]);
  });
}

/** Of deployments and garbage collections, of which there is none here; the embedded cluster has no such kinds. */
const others = ['DaemonSet', 'Job'];
/** Everything that can stand in a namespace and that we, or the cluster for us, make there; no Secrets. */
const namespacedTypes: readonly ResourceType[] = Object.values(resourceTypes).filter(
  ({ namespaced, kind }) => namespaced && kind !== 'Secret' && !others.includes(kind),
);

function describeRights(place: () => SecuredPlace): void {
  it('the surrogate is no root, has no rights, and is given the CA certificate, the login and the keys alone', async () => {
    const { kubernetes, namespace } = place();
    const pod = names.surrogatePod('secure');
    const { spec } = await kubernetes.get<Pod>(resourceTypes.Pod, pod, namespace);
    expect(spec).toMatchObject({
      automountServiceAccountToken: false,
      serviceAccountName: 'reposure-surrogate-secure',
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(spec.containers.map(({ securityContext }) => securityContext)).toEqual([
      {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
    ]);
    const secrets = spec.volumes.flatMap(({ secret }) => (secret ? [secret] : []));
    expect(secrets.map(({ secretName, items }) => ({ secretName, items }))).toEqual([
      { secretName: names.simpleTls, items: [{ key: 'ca.crt', path: 'ca.crt' }] },
      {
        secretName: names.simpleLogin,
        items: [{ key: '.dockerconfigjson', path: '.dockerconfigjson' }],
      },
    ]);
    const sources = spec.volumes.flatMap(({ projected }) => projected?.sources ?? []);
    expect(sources.map(({ secret }) => [secret.name, secret.items.map(({ key }) => key)])).toEqual([
      [names.readKey('secure'), ['key', 'previous']],
      [names.writeKey('secure'), ['key', 'previous']],
    ]);
    // No token by another way.
    expect(spec.volumes.map(({ name }) => name)).toEqual(['tmp', 'config', 'keys', 'tls', 'login']);
  });

  it("the operator's Role names what it uses: no wildcard, no list of Secrets, and no change but of two", async () => {
    const { kubernetes, namespace } = place();
    const role = await kubernetes.get<Role>(resourceTypes.Role, names.operator, namespace);
    expect(JSON.stringify(role.rules)).not.toContain('*');
    const ofSecrets = role.rules.filter(({ resources }) => resources.includes('secrets'));
    expect(ofSecrets.map(({ verbs, resourceNames }) => [verbs, resourceNames])).toEqual([
      [['get', 'create'], undefined],
      [['update'], [names.simpleTls, names.simpleCa]],
    ]);
    expect(operatorObjects({ namespace, image: 'x' }).map(({ kind }) => kind)).not.toContain(
      'ClusterRoleBinding',
    );
  });
}

interface Role extends KubernetesObject {
  rules: { resources: string[]; resourceNames?: string[]; verbs: string[] }[];
}

function describeRotation(place: () => SecuredPlace): void {
  it('is refused while it is wrong, which is said, and heals without a person', async () => {
    const { kubernetes, namespace, run, confidences } = place();
    const right = await kubernetes.get<Secret>(resourceTypes.Secret, names.simpleLogin, namespace);
    await replaceLogin(place(), withPassword(right.data, wrongPassword));
    // So that nobody waits for the operator to look by itself, which it does twice a minute.
    await touch(place());
    await expect
      .poll(() => conditionsOf(place()), { timeout: 40_000 })
      .toMatchObject({
        CredentialsValid: { status: 'False', reason: 'Refused' },
        Reachable: { status: 'True' },
        Ready: { status: 'False' },
      });
    const { CredentialsValid: { message = '' } = {} } = await conditionsOf(place());
    expect(message).toMatch(/login|credentials/);
    const push = await run('reposure image push secure team/hello:2 hello.txt --route=exec -v');
    expect(push.status).toBe(1);
    expect(push.stderr).toMatch(/Error: .*(login|credentials)/);
    const seen = [message, push.stderr, await place().ok('reposure registry logs secure')].join(
      '\n',
    );
    expect(givenAwayBy(seen, confidences)).toEqual([]);
    expect(seen).not.toContain(wrongPassword);
    expect(seen).not.toContain(Buffer.from(`reposure:${wrongPassword}`).toString('base64'));

    await replaceLogin(place(), right.data);
    await expect
      .poll(() => conditionsOf(place()), { timeout: 60_000 })
      .toMatchObject({ CredentialsValid: { status: 'True' }, Ready: { status: 'True' } });
    await place().ok('reposure image push secure team/hello:2 hello.txt');
  });
}

const wrongPassword = 'a-password-that-nobody-has';

function withPassword(data: Secret['data'], password: string): Secret['data'] {
  const text = Buffer.from(data['.dockerconfigjson'] ?? '', 'base64').toString();
  const config = JSON.parse(text) as { auths: Record<string, object> };
  const auth = Buffer.from(`reposure:${password}`).toString('base64');
  const hosts = Object.keys(config.auths).map((host) => [
    host,
    { username: 'reposure', password, auth },
  ]);
  const changed = JSON.stringify({ auths: Object.fromEntries(hosts) });
  return { '.dockerconfigjson': Buffer.from(changed).toString('base64') };
}

async function replaceLogin(
  { kubernetes, namespace }: UserShell,
  data: Secret['data'],
): Promise<void> {
  const secret = await kubernetes.get<Secret>(resourceTypes.Secret, names.simpleLogin, namespace);
  await kubernetes.replace({ ...secret, data });
  // Or its kubelet hands it over at its next round.
  await wakeKubelets(kubernetes, namespace);
}

async function touch({ kubernetes, namespace }: UserShell): Promise<void> {
  const registry = await kubernetes.get<Registry>(resourceTypes.Registry, 'secure', namespace);
  const { metadata } = registry;
  await kubernetes.replace({
    ...registry,
    metadata: { ...metadata, annotations: { touched: 'x' } },
  });
}

async function conditionsOf({ kubernetes, namespace }: UserShell): Promise<{
  [type in 'CredentialsValid' | 'Reachable' | 'Ready']: Condition | undefined;
}> {
  const registry = await kubernetes.get<Registry>(resourceTypes.Registry, 'secure', namespace);
  return {
    CredentialsValid: conditionOf(registry, 'CredentialsValid'),
    Reachable: conditionOf(registry, 'Reachable'),
    Ready: conditionOf(registry, 'Ready'),
  };
}
