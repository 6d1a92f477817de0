import { describe, expect, it } from 'vitest';

import { MemoryCluster } from '../../../test/support/memory-cluster.ts';
import { resourceTypes } from '../kubernetes/index.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import type { Secret } from '../providers/index.ts';
import { registryCrd } from '../resource/index.ts';
import type { Registry } from '../resource/index.ts';
import { uninstallCrd } from './custom-resource.ts';
import { execRoleOf } from './exec-role.ts';
import { rotateKeys } from './key-rotation.ts';
import { installOperator } from './operator-install.ts';
import { operatorObjects } from './operator-objects.ts';
import { pullRoleOf, pushRoleOf } from './proxy-roles.ts';
import { createRegistry, deleteRegistry } from './registry-create.ts';
import { installSimple, uninstallSimple } from './simple-install.ts';
import { htpasswdOf, isAdmitted, loginIn } from './simple-login.ts';
import { simpleObjects } from './simple-objects.ts';

const namespace = 'ci';
const established = { conditions: [{ type: 'Established', status: 'True' }] };

async function textOf(cluster: MemoryCluster, name: string, key: string): Promise<string> {
  const secret = await cluster.get<Secret>(resourceTypes.Secret, name, namespace);
  return Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
}

async function specOf(cluster: MemoryCluster): Promise<unknown> {
  return (await cluster.get<Registry>(resourceTypes.Registry, 'default', namespace)).spec;
}

function keptLog(): { lines: string[]; log: Log } {
  const lines: string[] = [];
  const keep = (line: string): void => {
    lines.push(line);
  };
  return { lines, log: { debug: keep, info: keep, warn: keep } };
}

describe('installOperator()', () => {
  it('says that it takes back a role that nobody asks for any more', async () => {
    const objects = operatorObjects({ namespace, image: 'x', role: 'view' });
    const binding = objects.find((each) => JSON.stringify(each).includes('"name":"view"'));
    const definition = { ...registryCrd(), status: established };
    const cluster = new MemoryCluster(definition, ...(binding ? [binding] : []));
    // Server-side apply leaves the status alone.
    cluster.apply = async (object) => object;
    const { lines, log } = keptLog();
    await installOperator(cluster, { namespace, log });
    expect(cluster.of('RoleBinding')).toEqual([]);
    expect(lines).toContain(`Deleted RoleBinding ci/${binding?.metadata.name}`);
  });
});

describe('operatorObjects()', () => {
  const text = JSON.stringify(operatorObjects({ namespace, image: 'example.test/reposure:1' }));

  it('grants no wildcard, no list and no change of Secrets, and no exec', () => {
    expect(text).not.toContain('"*"');
    expect(text).toContain('{"apiGroups":[""],"resources":["secrets"],"verbs":["get","create"]}');
    expect(text).not.toContain('pods/exec');
  });

  it('binds a ClusterRole only if asked', () => {
    expect(text).not.toContain('"ClusterRole"');
    const asked = operatorObjects({ namespace, image: 'example.test/reposure:1', role: 'view' });
    expect(JSON.stringify(asked)).toContain(
      '{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"view"}',
    );
  });
});

describe('simpleObjects()', () => {
  it('mounts no Secret and asks for no login unless told to', () => {
    const text = JSON.stringify(simpleObjects({ namespace }));
    expect(text).not.toMatch(/secretName|REGISTRY_AUTH|REGISTRY_HTTP_TLS|NodePort/);
    expect(text).toContain('"type":"ClusterIP"');
  });

  it('has no secret in the environment', () => {
    const text = JSON.stringify(
      simpleObjects({ namespace, tls: true, login: true, nodePort: 30_500 }),
    );
    expect(text).toContain('"REGISTRY_AUTH_HTPASSWD_PATH"');
    expect(text).toContain('"scheme":"HTTPS"');
    expect(text).toContain('"nodePort":30500');
    expect(text).not.toMatch(/REGISTRY_HTTP_SECRET|password"/);
  });
});

describe('installSimple()', () => {
  it('makes a login that the registry admits, and keeps it and the certificate when run again', async () => {
    const cluster = new MemoryCluster();
    await installSimple(cluster, { namespace, tls: true, login: true });
    const certificate = await textOf(cluster, 'reposure-simple-authentication', 'tls.crt');
    const htpasswd = await textOf(cluster, 'reposure-simple-htpasswd', 'htpasswd');
    const config = await textOf(cluster, 'reposure-simple-login', '.dockerconfigjson');
    const login = loginIn(config);
    expect(login?.password).toHaveLength(32);
    expect(await isAdmitted(htpasswd, login ?? { username: '', password: '' })).toBe(true);
    expect(Object.keys(JSON.parse(config).auths)).toEqual(['reposure-simple.ci.svc:5000']);

    await installSimple(cluster, { namespace, tls: true, login: true });
    expect(await textOf(cluster, 'reposure-simple-authentication', 'tls.crt')).toBe(certificate);
    expect(await textOf(cluster, 'reposure-simple-htpasswd', 'htpasswd')).toBe(htpasswd);
  });

  it('takes a login that is given, and names the node port in it', async () => {
    const cluster = new MemoryCluster();
    await installSimple(cluster, { namespace, login: true });
    const given = { username: 'me', password: 'hunter2' };
    const hosts = await installSimple(cluster, { namespace, login: given, nodePort: 30_500 });
    expect(hosts.pullHost).toBe('localhost:30500');
    const config = await textOf(cluster, 'reposure-simple-login', '.dockerconfigjson');
    expect(loginIn(config)).toEqual(given);
    expect(Object.keys(JSON.parse(config).auths)).toContain('localhost:30500');
    const htpasswd = await textOf(cluster, 'reposure-simple-htpasswd', 'htpasswd');
    expect(await isAdmitted(htpasswd, given)).toBe(true);
  });

  it('leaves a certificate alone that somebody else put there', async () => {
    const theirs: Secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'reposure-simple-authentication', namespace },
      data: { 'tls.crt': btoa('theirs'), 'tls.key': btoa('theirs') },
    };
    const cluster = new MemoryCluster(theirs);
    await installSimple(cluster, { namespace, tls: true });
    expect(await textOf(cluster, 'reposure-simple-authentication', 'tls.crt')).toBe('theirs');
  });

  it('names the Secrets that it applies, and says nothing of what is in them', async () => {
    const cluster = new MemoryCluster();
    const { lines, log } = keptLog();
    const given = { username: 'me', password: 'hunter2' };
    await installSimple(cluster, { namespace, tls: true, login: given, log });
    expect(lines.filter((line) => line.includes('Secret'))).toEqual([
      'Applied Secret ci/reposure-simple-authentication',
      'Applied Secret ci/reposure-simple-htpasswd',
      'Applied Secret ci/reposure-simple-login',
    ]);
    expect(lines.join()).not.toContain('hunter2');
  });

  it.each([
    ['another Pod took the place of one without a volume', {}, { tls: true }, 1],
    ['the Pod is the same', {}, {}, 0],
    ['there is a volume', { storage: '1Gi' }, { storage: '1Gi', tls: true }, 0],
  ])('says whether images went with their Pod: %s', async (_, before, after, warnings) => {
    const cluster = new MemoryCluster();
    const { lines, log } = keptLog();
    await installSimple(cluster, { namespace, ...before, log });
    await installSimple(cluster, { namespace, ...after, log });
    expect(lines.filter((line) => line.includes('images'))).toHaveLength(warnings);
  });

  it('keeps the images on uninstall, unless told otherwise', async () => {
    const cluster = new MemoryCluster();
    const { PersistentVolumeClaim } = resourceTypes;
    await installSimple(cluster, { namespace, storage: '1Gi' });
    await uninstallSimple(cluster, { namespace });
    expect(await cluster.find(PersistentVolumeClaim, 'reposure-simple', namespace)).toBeDefined();
    await uninstallSimple(cluster, { namespace, purge: true });
    expect(await cluster.find(PersistentVolumeClaim, 'reposure-simple', namespace)).toBeUndefined();
  });
});

describe('isAdmitted()', () => {
  it('wants the name and the password', async () => {
    const htpasswd = await htpasswdOf({ username: 'me', password: 'hunter2' });
    expect(await isAdmitted(htpasswd, { username: 'me', password: 'hunter2' })).toBe(true);
    expect(await isAdmitted(htpasswd, { username: 'me', password: 'other' })).toBe(false);
    expect(await isAdmitted(htpasswd, { username: 'm', password: 'hunter2' })).toBe(false);
  });
});

describe('createRegistry()', () => {
  const name = 'default';

  it('refers to no Secret that the simple registry does not use (predecessor, bug 9)', async () => {
    const cluster = new MemoryCluster();
    await installSimple(cluster, { namespace, tls: true, login: true });
    await installSimple(cluster, { namespace });
    await createRegistry(cluster, { name, namespace, provider: 'simple' });
    expect(await specOf(cluster)).toEqual({ type: 'oci', provider: 'simple' });
  });

  it('refers to the Secrets that the simple registry uses', async () => {
    const cluster = new MemoryCluster();
    await installSimple(cluster, { namespace, tls: true, login: true });
    await createRegistry(cluster, { name, namespace, provider: 'simple' });
    expect(await specOf(cluster)).toEqual({
      type: 'oci',
      provider: 'simple',
      tlsSecret: 'reposure-simple-authentication',
      loginSecret: 'reposure-simple-login',
    });
  });

  it('changes one that is there, and says so (predecessor, bug 11)', async () => {
    const cluster = new MemoryCluster();
    const ask = (host: string) => createRegistry(cluster, { name, namespace, host });
    expect((await ask('a.test')).outcome).toBe('created');
    expect((await ask('a.test')).outcome).toBe('unchanged');
    expect((await ask('b.test')).outcome).toBe('configured');
    expect(await specOf(cluster)).toEqual({ type: 'oci', direct: { host: 'b.test' } });
  });

  it('leaves nothing of what one that is there was before', async () => {
    const cluster = new MemoryCluster();
    await createRegistry(cluster, { name, namespace, host: 'a.test', loginSecret: 's' });
    await createRegistry(cluster, { name, namespace, service: 'reg', port: 80 });
    expect(await specOf(cluster)).toEqual({ type: 'oci', indirect: { service: 'reg', port: 80 } });
  });

  it('writes down which provider auto found, and says why', async () => {
    const said: string[] = [];
    const log = { ...silent, info: (text: string) => void said.push(text) };
    const cluster = new MemoryCluster({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'registry',
        namespace: 'kube-system',
        labels: { 'kubernetes.io/minikube-addons': 'registry' },
      },
    });
    await createRegistry(cluster, { name, namespace, provider: 'auto', log });
    expect(await specOf(cluster)).toEqual({ type: 'oci', provider: 'minikube' });
    expect(said[0]).toMatch(/the provider is minikube: found Service kube-system\/registry/);
  });

  it('creates nothing where auto finds nothing', async () => {
    const cluster = new MemoryCluster();
    const created = createRegistry(cluster, { name, namespace, provider: 'auto' });
    await expect(created).rejects.toMatchObject({ reason: 'NothingFound' });
    expect((await cluster.list(resourceTypes.Registry)).items).toHaveLength(0);
  });

  it('lets the surrogate push on OpenShift, if whoever creates it may', async () => {
    const cluster = new MemoryCluster();
    await createRegistry(cluster, { name, namespace, provider: 'openshift' });
    expect(cluster.of('RoleBinding')).toMatchObject([
      {
        metadata: { ownerReferences: [{ kind: 'Registry' }] },
        roleRef: { kind: 'ClusterRole', name: 'system:image-builder' },
        subjects: [{ kind: 'ServiceAccount', name: `reposure-surrogate-${name}` }],
      },
    ]);
    const warned: string[] = [];
    const log = { ...silent, warn: (text: string) => void warned.push(text) };
    cluster.forbidden.add('RoleBinding');
    await createRegistry(cluster, { name, namespace, provider: 'openshift', log });
    expect(warned).toEqual([
      expect.stringContaining('oc policy add-role-to-user system:image-builder'),
    ]);
  });

  it.each([
    [{}, /exactly one/],
    [{ host: 'a', provider: 'simple' }, /exactly one/],
    [{ provider: 'nexus' }, /no provider "nexus"; want one of simple, minikube/],
    [{ provider: 'quay' }, /--provider=quay wants exactly one of --host and --service/],
    [{ provider: 'harbor', host: 'a', service: 'b' }, /exactly one of --host and --service/],
    [{ host: '::1' }, /--host wants host/],
    [{ host: 'https://a' }, /--host wants host/],
    [{ host: 'a', port: 80 }, /want --service/],
    [{ name: 'Default', host: 'a' }, /the name wants/],
  ])('refuses %j', async (options, message) => {
    const cluster = new MemoryCluster();
    await expect(createRegistry(cluster, { name, namespace, ...options })).rejects.toThrow(message);
    expect((await cluster.list(resourceTypes.Registry)).items).toHaveLength(0);
  });

  it('is undone once, and not twice', async () => {
    const cluster = new MemoryCluster();
    await createRegistry(cluster, { name, namespace, host: 'a.test' });
    await deleteRegistry(cluster, { name, namespace });
    await expect(deleteRegistry(cluster, { name, namespace })).rejects.toThrow(/does not exist/);
  });
});

describe('uninstallCrd()', () => {
  const { CustomResourceDefinition } = resourceTypes;
  const crdName = registryCrd().metadata.name;
  const operator = operatorObjects({ namespace: 'other', image: 'x' }).at(-1);
  const registry = { apiVersion: 'v', kind: 'Registry', metadata: { name: 'r', namespace: 'x' } };

  it.each([
    ['a Registry is left', registry],
    ['another operator is at work', operator ?? registry],
  ])('keeps the definition while %s (predecessor, bug 13)', async (_, object) => {
    const cluster = new MemoryCluster(registryCrd(), object);
    await uninstallCrd(cluster, { namespace });
    expect(await cluster.find(CustomResourceDefinition, crdName)).toBeDefined();
  });

  it('keeps the definition where it may not see who needs it', async () => {
    const cluster = new MemoryCluster(registryCrd());
    cluster.forbidden.add('Registry');
    await uninstallCrd(cluster, { namespace });
    expect(await cluster.find(CustomResourceDefinition, crdName)).toBeDefined();
  });

  it('removes it with the last one', async () => {
    const cluster = new MemoryCluster(registryCrd());
    await uninstallCrd(cluster, { namespace });
    expect(await cluster.find(CustomResourceDefinition, crdName)).toBeUndefined();
  });
});

describe('execRoleOf()', () => {
  it('names the one Pod for everything but the Registry', () => {
    const role = execRoleOf({ metadata: { name: 'default', namespace } });
    expect(role.metadata.name).toBe('reposure-exec-default');
    expect(role.rules).toEqual([
      expect.objectContaining({ resources: ['registries'], resourceNames: ['default'] }),
      expect.objectContaining({
        resources: ['pods'],
        resourceNames: ['reposure-surrogate-default-0'],
      }),
      {
        apiGroups: [''],
        resources: ['pods/exec'],
        resourceNames: ['reposure-surrogate-default-0'],
        verbs: ['create', 'get'],
      },
    ]);
  });
});

describe('pullRoleOf() and pushRoleOf()', () => {
  const registry = { metadata: { name: 'default', namespace } };
  const resourceNames = ['https:reposure-surrogate-default:gateway'];

  it('name one key, and the gateway as it stands in the path', () => {
    const [pull, push] = [pullRoleOf(registry), pushRoleOf(registry)];
    expect([pull.metadata.name, push.metadata.name]).toEqual([
      'reposure-pull-default',
      'reposure-push-default',
    ]);
    expect(pull.rules.slice(1)).toEqual([
      secretRule('reposure-surrogate-default-read-key'),
      { apiGroups: [''], resources: ['services/proxy'], resourceNames, verbs: ['get'] },
    ]);
    expect(push.rules.slice(1)).toEqual([
      secretRule('reposure-surrogate-default-write-key'),
      {
        apiGroups: [''],
        resources: ['services/proxy'],
        resourceNames,
        verbs: ['get', 'create', 'update', 'patch', 'delete'],
      },
    ]);
  });

  function secretRule(name: string): object {
    return { apiGroups: [''], resources: ['secrets'], resourceNames: [name], verbs: ['get'] };
  }
});

describe('rotateKeys()', () => {
  const registry = { metadata: { name: 'default', namespace } };

  it('keeps nothing of a rotation but the key that it replaced', async () => {
    const secrets = ['read', 'write'].map((use) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `reposure-surrogate-default-${use}-key`, namespace },
      data: { key: btoa(`${use} 1`) },
    }));
    const cluster = new MemoryCluster(...secrets);
    await rotateKeys(cluster, registry);
    const name = 'reposure-surrogate-default-write-key';
    expect(await textOf(cluster, name, 'previous')).toBe('write 1');
    const second = await textOf(cluster, name, 'key');
    expect(Buffer.from(second, 'base64url')).toHaveLength(32);
    await rotateKeys(cluster, registry);
    expect(await textOf(cluster, name, 'previous')).toBe(second);
    expect(await textOf(cluster, name, 'key')).not.toBe(second);
  });

  it('says that there is no key to rotate', async () => {
    await expect(rotateKeys(new MemoryCluster(), registry)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('read-key'),
    });
  });
});
