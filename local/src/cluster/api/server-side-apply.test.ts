import { describe, expect, it } from 'vitest';

import { builtInTyping } from './list-keys.ts';
import { ownersAfterUpdate } from './managed-fields.ts';
import type { Manager } from './managed-fields.ts';
import type { Fields, GivenObject } from './object.ts';
import { applyConfiguration } from './server-side-apply.ts';

const scope = { typing: builtInTyping, hasStatus: true };
const time = '2026-01-01T00:00:00Z';

function manager(
  name: string,
  operation: 'Apply' | 'Update' = 'Apply',
  subresource?: string,
): Manager {
  return { manager: name, operation, apiVersion: 'apps/v1', subresource };
}

function deployment(spec: Fields, labels?: Record<string, string>): GivenObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', ...(labels ? { labels } : {}) },
    spec,
  };
}

function apply(
  live: GivenObject | undefined,
  given: GivenObject,
  by = 'a',
  force = false,
): GivenObject {
  return applyConfiguration(live, given, { writer: manager(by), scope, force, time });
}

const container = (name: string, fields: Fields = {}): Fields => ({
  name,
  image: 'i:1',
  ...fields,
});

describe('applyConfiguration()', () => {
  it('records the fields, list items by their keys', () => {
    const object = apply(
      undefined,
      deployment({ template: { spec: { containers: [container('c')] } } }),
    );
    expect(object.metadata.managedFields).toEqual([
      {
        manager: 'a',
        operation: 'Apply',
        apiVersion: 'apps/v1',
        time,
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:spec': {
            'f:template': {
              'f:spec': {
                'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:name': {}, 'f:image': {} } },
              },
            },
          },
        },
      },
    ]);
  });

  it('removes what the manager gives up and nobody else owns', () => {
    const first = apply(undefined, deployment({ replicas: 1, paused: true }, { x: '1', y: '2' }));
    const shared = apply(first, deployment({ paused: true }), 'b');
    const second = apply(shared, deployment({ replicas: 1 }, { x: '1' }));
    expect(second['spec']).toEqual({ replicas: 1, paused: true });
    expect(second.metadata.labels).toEqual({ x: '1' });
    const third = apply(second, deployment({}), 'b');
    expect(third['spec']).toEqual({ replicas: 1 });
  });

  it('removes list items with everything in them, but not those of others', () => {
    const spec = (...containers: Fields[]): Fields => ({ template: { spec: { containers } } });
    const mine = apply(undefined, deployment(spec(container('one'), container('two'))));
    const both = apply(mine, deployment(spec(container('two'), container('three'))), 'b');
    const next = apply(both, deployment(spec(container('one', { image: 'i:2' }))));
    expect(next['spec']).toEqual(
      spec(container('one', { image: 'i:2' }), container('two'), container('three')),
    );
  });

  it('refuses to change what another manager owns, and names it', () => {
    const live = apply(undefined, deployment({ replicas: 1 }));
    expect(() => apply(live, deployment({ replicas: 2 }), 'b')).toThrow(
      'Apply failed with 1 conflict: conflict with "a" using apps/v1: .spec.replicas',
    );
    expect(() => apply(live, deployment({ replicas: 1 }), 'b')).not.toThrow();
  });

  it('takes fields over by force', () => {
    const live = apply(undefined, deployment({ replicas: 1 }));
    const taken = apply(live, deployment({ replicas: 2 }), 'b', true);
    expect(taken['spec']).toEqual({ replicas: 2 });
    expect(taken.metadata.managedFields?.map((entry) => entry.manager)).toEqual(['b']);
  });

  it('changes nothing, not even the time, when applied again', () => {
    const given = deployment({ replicas: 1, template: { spec: { containers: [container('c')] } } });
    const live = apply(undefined, given);
    const again = applyConfiguration(live, given, {
      writer: manager('a'),
      scope,
      force: false,
      time: '2026-02-02T00:00:00Z',
    });
    expect(again).toEqual(live);
  });

  it('writes the status through its subresource only', () => {
    const live = apply(undefined, deployment({ replicas: 1 }));
    const given = { ...deployment({ replicas: 9 }), status: { replicas: 3 } };
    const next = applyConfiguration(live, given, {
      writer: manager('kubelet', 'Apply', 'status'),
      scope,
      force: false,
      time,
    });
    expect(next).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 3 } });
    expect(apply(undefined, given)['status']).toBeUndefined();
  });

  it('treats a port without a protocol as TCP', () => {
    const service = (port: Fields): GivenObject => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's' },
      spec: { ports: [port] },
    });
    const live = apply(undefined, service({ port: 80, protocol: 'TCP', targetPort: 1 }));
    expect(apply(live, service({ port: 80, targetPort: 2 }))['spec']).toMatchObject({
      ports: [{ port: 80, targetPort: 2 }],
    });
  });
});

describe('ownersAfterUpdate()', () => {
  it('gives a changed field to who changed it', () => {
    const before = apply(undefined, deployment({ replicas: 1, paused: true }));
    const after = { ...before, spec: { replicas: 2 } };
    const owners = ownersAfterUpdate(before, after, {
      writer: manager('scaler', 'Update'),
      scope,
      time,
    });
    expect(owners.map((owner) => [owner.manager, owner.fieldsV1])).toEqual([
      ['scaler', { 'f:spec': { 'f:replicas': {} } }],
    ]);
  });
});
