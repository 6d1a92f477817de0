import { beforeEach, describe, expect, it } from 'vitest';

import { forbidden, isAllowed } from './rbac.ts';
import type { PolicyRule, ResourceAttributes } from './rbac.ts';
import { Store } from './store.ts';
import { serviceAccountUser } from './tokens.ts';

const group = 'rbac.authorization.k8s.io';
const user = serviceAccountUser('ns', 'sa');

function grant(
  store: Store,
  rules: readonly PolicyRule[],
  subject: object,
  isClusterWide = false,
): void {
  const plural = isClusterWide ? 'clusterrolebindings' : 'rolebindings';
  store.create(`clusterroles.${group}`, {
    apiVersion: `${group}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'r' },
    rules,
  });
  store.create(`${plural}.${group}`, {
    apiVersion: `${group}/v1`,
    kind: 'RoleBinding',
    metadata: { name: 'b', ...(isClusterWide ? {} : { namespace: 'ns' }) },
    subjects: [subject],
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'r' },
  });
}

const pods: ResourceAttributes = { verb: 'get', group: '', resource: 'pods', namespace: 'ns' };

describe('isAllowed()', () => {
  let store: Store;
  beforeEach(() => {
    store = new Store();
  });

  it('allows nothing that no rule grants', () => {
    expect(isAllowed(store, user, pods)).toBe(false);
  });

  it('keeps a RoleBinding within its namespace', () => {
    grant(store, [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }], {
      kind: 'ServiceAccount',
      name: 'sa',
      namespace: 'ns',
    });
    expect(isAllowed(store, user, pods)).toBe(true);
    expect(isAllowed(store, user, { ...pods, namespace: 'other' })).toBe(false);
    expect(isAllowed(store, user, { ...pods, verb: 'list' })).toBe(false);
    expect(isAllowed(store, user, { ...pods, subresource: 'exec' })).toBe(false);
    expect(isAllowed(store, serviceAccountUser('ns', 'other'), pods)).toBe(false);
  });

  it.each([
    [{ resourceNames: ['x'] }, { name: 'x' }, true],
    [{ resourceNames: ['x'] }, { name: 'y' }, false],
    [{ resourceNames: ['x'] }, {}, false],
    [{ resources: ['pods/exec'] }, { subresource: 'exec' }, true],
    [{ resources: ['*/exec'] }, { subresource: 'exec' }, true],
    [{ resources: ['*'] }, { subresource: 'exec' }, true],
    [{ apiGroups: ['apps'] }, {}, false],
    [{ apiGroups: ['*'], verbs: ['*'] }, { verb: 'patch', group: 'apps' }, true],
  ])('a rule with %j lets %j through: %j', (rule, attributes, expected) => {
    const plain = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
    grant(
      store,
      [{ ...plain, ...rule }],
      { kind: 'Group', name: 'system:serviceaccounts:ns' },
      true,
    );
    expect(isAllowed(store, user, { ...pods, ...attributes })).toBe(expected);
  });

  it('lets everybody discover, and strangers see the version only', () => {
    const stranger = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
    expect(isAllowed(store, user, { verb: 'get', path: '/apis/apps/v1' })).toBe(true);
    expect(isAllowed(store, user, { verb: 'get', path: '/metrics' })).toBe(false);
    expect(isAllowed(store, stranger, { verb: 'get', path: '/version' })).toBe(true);
    expect(isAllowed(store, stranger, { verb: 'get', path: '/apis' })).toBe(false);
  });
});

describe('forbidden()', () => {
  it('says it in the words of the real API', () => {
    const attributes = {
      verb: 'get',
      group: 'reposure.puccini.cloud',
      resource: 'registries',
      namespace: 'ns',
      name: 'x',
    };
    expect(forbidden(user, attributes).message).toBe(
      'registries.reposure.puccini.cloud "x" is forbidden: User "system:serviceaccount:ns:sa" cannot get resource "registries" in API group "reposure.puccini.cloud" in the namespace "ns"',
    );
  });
});
