import { describe, expect, it } from 'vitest';

import { applyJsonPatch, applyMergePatch } from './json-patch.ts';
import { applyStrategicMergePatch } from './strategic-merge.ts';

describe('applyJsonPatch()', () => {
  it('adds, replaces, removes, moves, copies and tests', () => {
    const document = { a: [1, 2], 'x/y': { b: 1 } };
    const patched = applyJsonPatch(document, [
      { op: 'test', path: '/a/0', value: 1 },
      { op: 'add', path: '/a/-', value: 3 },
      { op: 'add', path: '/a/0', value: 0 },
      { op: 'replace', path: '/x~1y/b', value: { c: null } },
      { op: 'copy', from: '/a', path: '/copy' },
      { op: 'move', from: '/x~1y', path: '/moved' },
      { op: 'remove', path: '/a/1' },
    ]);
    expect(patched).toEqual({ a: [0, 2, 3], copy: [0, 1, 2, 3], moved: { b: { c: null } } });
    expect(document).toEqual({ a: [1, 2], 'x/y': { b: 1 } });
  });

  it.each([
    [[{ op: 'remove', path: '/nope' }], /there is nothing at/],
    [[{ op: 'test', path: '/a', value: 2 }], /testing value \/a failed/],
    [[{ op: 'twist', path: '/a' }], /operation "twist"/],
    [{ op: 'add' }, /list of operations/],
    [[{ op: 'add', path: '/list/9', value: 1 }], /no index 9/],
  ])('refuses %j', (patch, message) => {
    expect(() => applyJsonPatch({ a: 1, list: [] }, patch)).toThrow(message);
  });

  it('cannot reach the prototype', () => {
    applyJsonPatch({}, [{ op: 'add', path: '/__proto__', value: { polluted: 1 } }]);
    expect(() =>
      applyJsonPatch({}, [{ op: 'add', path: '/__proto__/polluted', value: 1 }]),
    ).toThrow(/there is nothing at/);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('applyMergePatch()', () => {
  it('merges objects, replaces lists, removes by null', () => {
    expect(
      applyMergePatch({ a: { b: 1, c: 2 }, l: [1] }, { a: { b: null, d: 3 }, l: [2] }),
    ).toEqual({
      a: { c: 2, d: 3 },
      l: [2],
    });
  });
});

describe('applyStrategicMergePatch()', () => {
  const pod = {
    metadata: { finalizers: ['a', 'b'], labels: { x: '1' } },
    spec: {
      containers: [
        { name: 'one', image: 'a:1', env: [{ name: 'X', value: '1' }], args: ['1'] },
        { name: 'two', image: 'b:1' },
      ],
      tolerations: [{ key: 'a' }],
      volumes: [{ name: 'v', emptyDir: {} }],
    },
  };

  it('merges known lists by their key, and replaces the others', () => {
    const patch = {
      spec: {
        containers: [{ name: 'one', image: 'a:2', env: [{ name: 'Y', value: '2' }], args: ['2'] }],
        tolerations: [{ key: 'b' }],
      },
    };
    expect(applyStrategicMergePatch(pod, patch)).toMatchObject({
      spec: {
        containers: [
          {
            name: 'one',
            image: 'a:2',
            args: ['2'],
            env: [
              { name: 'X', value: '1' },
              { name: 'Y', value: '2' },
            ],
          },
          { name: 'two', image: 'b:1' },
        ],
        tolerations: [{ key: 'b' }],
      },
    });
  });

  it('heeds its directives', () => {
    const patch = {
      metadata: { '$deleteFromPrimitiveList/finalizers': ['a'], labels: null },
      spec: {
        $retainKeys: ['containers', 'volumes'],
        '$setElementOrder/containers': [{ name: 'one' }],
        containers: [{ $patch: 'delete', name: 'two' }],
        volumes: [{ name: 'v', $retainKeys: ['name', 'secret'], secret: { secretName: 's' } }],
      },
    };
    expect(applyStrategicMergePatch(pod, patch)).toEqual({
      metadata: { finalizers: ['b'] },
      spec: {
        containers: [pod.spec.containers[0]],
        volumes: [{ name: 'v', secret: { secretName: 's' } }],
      },
    });
  });

  it('tells the ports of a Service from those of a container', () => {
    const service = { spec: { ports: [{ port: 80, name: 'a' }] } };
    const patch = { spec: { ports: [{ port: 80, name: 'b' }, { port: 443 }] } };
    expect(applyStrategicMergePatch(service, patch)).toEqual({
      spec: { ports: [{ port: 80, name: 'b' }, { port: 443 }] },
    });
  });
});
