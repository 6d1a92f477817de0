import { setImmediate as turn } from 'node:timers/promises';

import { beforeEach, describe, expect, it } from 'vitest';

import type { GivenObject, StoredObject, StoreEvent } from './object.ts';
import { Store } from './store.ts';

function configMap(name: string, metadata: Partial<GivenObject['metadata']> = {}): GivenObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'n', ...metadata },
    data: {},
  };
}

function ownerOf({ apiVersion, kind, metadata }: StoredObject): {
  ownerReferences: { apiVersion: string; kind: string; name: string; uid: string }[];
} {
  return { ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid }] };
}

describe('Store', () => {
  let store: Store;
  let events: StoreEvent[];
  beforeEach(() => {
    store = new Store();
    events = [];
    store.subscribe((event) => events.push(event));
  });

  it('refuses a taken name and an outdated resourceVersion', () => {
    const first = store.create('configmaps', configMap('a'));
    expect(() => store.create('configmaps', configMap('a'))).toThrow(/already exists/);
    store.update('configmaps', { ...first, data: { x: '1' } });
    expect(() => store.update('configmaps', { ...first, data: { x: '2' } })).toThrow(
      /the object has been modified/,
    );
  });

  it('does not write what changes nothing', () => {
    const first = store.create('configmaps', configMap('a'));
    expect(store.update('configmaps', configMap('a')).metadata.resourceVersion).toBe(
      first.metadata.resourceVersion,
    );
    expect(events).toHaveLength(1);
  });

  it('keeps status and spec apart, and counts generations of the spec', () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'n' },
      spec: {},
    };
    store.create('pods', pod);
    store.update('pods', { ...pod, status: { phase: 'Running' } }, { subresource: 'status' });
    const next = store.update('pods', {
      ...pod,
      spec: { nodeName: 'x' },
      status: { phase: 'Lost' },
    });
    expect(next).toMatchObject({
      metadata: { generation: 2 },
      spec: { nodeName: 'x' },
      status: { phase: 'Running' },
    });
  });

  it('holds an object until its finalizers are gone', () => {
    store.create('configmaps', configMap('a', { finalizers: ['x'] }));
    store.delete('configmaps', 'n', 'a');
    const held = store.get('configmaps', 'n', 'a');
    expect(held?.metadata.deletionTimestamp).toBeDefined();
    store.update('configmaps', { ...configMap('a'), data: {} });
    expect(store.get('configmaps', 'n', 'a')).toBeUndefined();
    expect(events.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
  });

  it('lets a Pod that runs on a node end gracefully', () => {
    const metadata = { name: 'p', namespace: 'n' };
    store.create('pods', { apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: 'local' } });
    store.delete('pods', 'n', 'p');
    expect(store.get('pods', 'n', 'p')?.metadata.deletionGracePeriodSeconds).toBe(30);
    store.delete('pods', 'n', 'p', { gracePeriodSeconds: 0 });
    expect(store.get('pods', 'n', 'p')).toBeUndefined();
  });

  it('collects what has lost its last owner', async () => {
    const owner = store.create('configmaps', configMap('owner'));
    store.create('secrets', { ...configMap('owned', ownerOf(owner)), kind: 'Secret' });
    store.create('secrets', { ...configMap('free'), kind: 'Secret' });
    store.delete('configmaps', 'n', 'owner');
    await turn();
    await turn();
    expect(store.list('secrets').map(({ metadata }) => metadata.name)).toEqual(['free']);
  });

  it.each([
    ['Foreground', []],
    ['Orphan', ['owned']],
  ] as const)('deletes an owner by the policy %s', async (propagationPolicy, left) => {
    const owner = store.create('configmaps', configMap('owner'));
    store.create('configmaps', configMap('owned', ownerOf(owner)));
    store.delete('configmaps', 'n', 'owner', { propagationPolicy });
    for (let round = 0; round < 5; round++) await turn();
    expect(store.list('configmaps').map(({ metadata }) => metadata.name)).toEqual(left);
  });

  it('tells everybody of changes in their order, also of those that a listener makes', () => {
    const seen: string[] = [];
    const reacting = new Store();
    reacting.subscribe(({ type, object }) => {
      if (type === 'ADDED' && object.metadata.name === 'a')
        reacting.create('configmaps', configMap('b'));
    });
    reacting.subscribe(({ object }) => seen.push(object.metadata.resourceVersion));
    reacting.create('configmaps', configMap('a'));
    expect(seen).toEqual(['1', '2']);
  });

  it('gives out copies, and events that cannot be changed', () => {
    store.create('configmaps', configMap('a'));
    const copy = store.get('configmaps', 'n', 'a');
    if (copy) copy['data'] = { changed: 'yes' };
    expect(store.get('configmaps', 'n', 'a')?.['data']).toEqual({});
    expect(Object.isFrozen(events[0]?.object['data'])).toBe(true);
  });
});
