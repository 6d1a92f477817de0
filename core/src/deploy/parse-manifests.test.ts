import { describe, expect, it } from 'vitest';

import { InputError } from '../errors.ts';
import { refuseDuplicates } from './manifest.ts';
import { parseManifests } from './parse-manifests.ts';

const objectsIn = (text: string): unknown[] =>
  parseManifests(text, 'app.yaml').map(({ object }) => object);

describe('parseManifests()', () => {
  it('resolves anchors and merge keys, and shares nothing between objects', () => {
    const [first, second] = parseManifests(
      `
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: a, labels: &labels {app: x}}
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: b, labels: {<<: *labels, tier: z}}
    data: *labels
`,
      'app.yaml',
    );
    expect(second?.object).toMatchObject({
      metadata: { labels: { app: 'x', tier: 'z' } },
      data: { app: 'x' },
    });
    if (first?.object.metadata.labels) first.object.metadata.labels['app'] = 'changed';
    expect(second?.object['data']).toEqual({ app: 'x' });
    expect(second?.origin).toBe('app.yaml, item 2');
  });

  it('skips documents that are empty, and says which one is wrong', () => {
    const good = 'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n';
    expect(parseManifests(`---\n# nothing\n---\n${good}---\n`, 'app.yaml')).toHaveLength(1);
    expect(parseManifests('', 'app.yaml')).toEqual([]);
    expect(() => parseManifests(`${good}---\nkind: [`, 'app.yaml')).toThrow(
      /Cannot read app.yaml, document 2/,
    );
  });

  it('reads numbers and booleans as kubectl does', () => {
    const [object] = objectsIn(
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nmode: 0644\non: yes\ntext: "0644"\nport: 22:22\n',
    );
    expect(object).toMatchObject({ mode: 420, true: true, text: '0644', port: '22:22' });
  });

  it.each([
    ['no kind', 'apiVersion: v1\nmetadata: {name: a}', /kind: want e\.g\. Deployment/],
    ['no name', 'apiVersion: v1\nkind: Pod\nmetadata: {}', /metadata\.name: want a name/],
    ['a text', 'hello', /the manifest in app\.yaml/],
    ['a tab', 'apiVersion: v1\nkind:\tPod\n\tx: 1', /Cannot read app\.yaml/],
    [
      'input of kustomize',
      'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata: {name: a}',
      /kubectl kustomize/,
    ],
    [
      'an alias bomb',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${['b', 'c', 'd', 'e', 'f', 'g'].map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[index]}`).join(',')}]`).join('\n')}`,
      /want at most 1000 uses of anchors/,
    ],
  ])('refuses %s', (_, text, message) => {
    expect(() => objectsIn(text)).toThrow(message);
    expect(() => objectsIn(text)).toThrow(InputError);
  });

  it('refuses one object twice, in whichever version of its API', () => {
    const of = (version: string): string =>
      `apiVersion: apps/${version}\nkind: Deployment\nmetadata: {name: a}\n`;
    expect(() =>
      refuseDuplicates(parseManifests(`${of('v1')}---\n${of('v1beta1')}`, 'a.yaml')),
    ).toThrow(/Deployment a: it is both in a\.yaml, document 1 and in a\.yaml, document 2/);
  });
});
