import { describe, expect, it } from 'vitest';

import { appliedFields, configurationOf, unionOf } from './owned-fields.ts';

const before = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'app',
    namespace: 'shop',
    uid: '1',
    labels: { ours: 'a', theirs: 'b' },
    finalizers: ['x.test/a', 'x.test/b'],
    managedFields: [
      {
        manager: 'reposure-deploy',
        operation: 'Apply',
        fieldsV1: { 'f:metadata': { 'f:labels': { 'f:ours': {} } } },
      },
      { manager: 'reposure-deploy', operation: 'Update', fieldsV1: { 'f:spec': {} } },
    ],
  },
  spec: {
    replicas: 3,
    template: {
      spec: {
        containers: [
          {
            name: 'app',
            image: 'old',
            ports: [{ containerPort: 80, protocol: 'TCP', name: 'http' }],
          },
          { name: 'injected', image: 'x' },
        ],
        tolerations: [{ key: 'a' }],
      },
    },
  },
};

describe('configurationOf()', () => {
  it('has the fields that are named, with the keys of their items, and no others', () => {
    const containers = {
      'k:{"name":"app"}': {
        '.': {},
        'f:image': {},
        'f:args': {},
        'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:name': {} } },
      },
    };
    const fields = {
      'f:metadata': { 'f:labels': { 'f:ours': {} }, 'f:finalizers': { 'v:"x.test/b"': {} } },
      'f:spec': { 'f:template': { 'f:spec': { 'f:containers': containers, 'f:tolerations': {} } } },
    };
    expect(configurationOf(before, fields)).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'app', namespace: 'shop', labels: { ours: 'a' }, finalizers: ['x.test/b'] },
      spec: {
        template: {
          spec: {
            containers: [
              {
                name: 'app',
                image: 'old',
                ports: [{ containerPort: 80, protocol: 'TCP', name: 'http' }],
              },
            ],
            tolerations: [{ key: 'a' }],
          },
        },
      },
    });
  });

  it('is of the fields that a manager has applied, then and now', () => {
    expect(appliedFields(before, 'reposure-deploy')).toEqual({
      'f:metadata': { 'f:labels': { 'f:ours': {} } },
    });
    expect(appliedFields(before, 'somebody')).toEqual({});
    expect(unionOf({ 'f:a': { 'f:b': {} }, 'f:d': {} }, { 'f:a': { 'f:c': {} } })).toEqual({
      'f:a': { 'f:b': {}, 'f:c': {} },
      'f:d': {},
    });
  });
});
