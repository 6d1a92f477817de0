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
import { installSimple } from './simple-install.ts';

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

  it('grants no wildcard, no list of Secrets, no change of any but two, and no exec', () => {
    expect(text).not.toContain('"*"');
    expect(text).toContain('{"apiGroups":[""],"resources":["secrets"],"verbs":["get","create"]}');
    expect(text).toContain(
      '"resources":["secrets"],"resourceNames":["reposure-simple-authentication","reposure-simple-ca"],"verbs":["update"]',
    );
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

describe('createRegistry()', () => {
  const name = 'default';

  it('refers to no Secret that the simple registry does not use (predecessor, bug 9)', async () => {
    const cluster = new MemoryCluster();
    await installSimple(cluster, { namespace, tls: { from: 'own-ca' }, login: true });
    await installSimple(cluster, { namespace });
    await createRegistry(cluster, { name, namespace, provider: 'simple' });
    expect(await specOf(cluster)).toEqual({ type: 'oci', provider: 'simple' });
  });

  it('refers to the Secrets that the simple registry uses', async () => {
    const cluster = new MemoryCluster();
    await installSimple(cluster, { namespace, tls: { from: 'own-ca' }, login: true });
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
