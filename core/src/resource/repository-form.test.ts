import { describe, expect, it } from 'vitest';

import type { Registry } from './registry.ts';
import { requireRepository } from './repository-form.ts';

function registryOf(provider: string, found?: string): Registry {
  return {
    apiVersion: 'reposure.puccini.cloud/v1alpha1',
    kind: 'Registry',
    metadata: { name: 'default', namespace: 'ci' },
    spec: { type: 'oci', provider },
    ...(found === undefined ? {} : { status: { provider: found } }),
  };
}

describe('requireRepository()', () => {
  it.each([
    ['simple', 'a'],
    ['simple', 'a/b/c/d'],
    ['openshift', 'ci/app'],
    ['harbor', 'team/app/web'],
    ['gar', 'project/images/app'],
    ['gar', 'project/app'],
    ['ecr', 'app'],
  ])('%s takes %s', (provider, repository) => {
    expect(() => requireRepository(registryOf(provider), repository, 'write')).not.toThrow();
  });

  it.each([
    ['openshift', 'app', /want PROJECT\/NAME, such as ci\/NAME/],
    ['openshift', 'ci/app/web', /want PROJECT\/NAME/],
    ['openshift', 'other/app', /another project; want ci\/NAME/],
    ['openshift', 'cicd/app', /another project/],
    ['harbor', 'app', /want PROJECT\/NAME/],
    ['quay', 'app', /want ORGANISATION\/NAME/],
    ['ghcr', 'app', /want OWNER\/NAME/],
    ['gar', 'app', /want PROJECT\/REPOSITORY\/NAME/],
  ])('%s refuses %s', (provider, repository, message) => {
    expect(() => requireRepository(registryOf(provider), repository, 'write')).toThrow(message);
  });

  it('lets OpenShift show the images of another project', () => {
    expect(() =>
      requireRepository(registryOf('openshift'), 'openshift/nodejs', 'read'),
    ).not.toThrow();
  });

  it('goes by what the operator found', () => {
    const registry = registryOf('auto', 'openshift');
    expect(() => requireRepository(registry, 'app', 'read')).toThrow(/"openshift"/);
  });
});
