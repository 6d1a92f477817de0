import { describe, expect, it } from 'vitest';

import { parseFieldSelector, parseLabelSelector } from './selectors.ts';
import { StatusError } from './status.ts';

function labelled(
  labels: Record<string, string>,
): Parameters<ReturnType<typeof parseLabelSelector>>[0] {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'p',
      namespace: 'n',
      uid: '',
      resourceVersion: '',
      creationTimestamp: '',
      labels,
    },
    spec: { nodeName: 'local' },
    status: { phase: 'Running' },
  };
}

describe('parseLabelSelector()', () => {
  it.each([
    ['a=1', true],
    ['a==1,b!=2', true],
    ['a in (0, 1),!c', true],
    ['a notin (1)', false],
    ['c', false],
    ['c!=1', true],
    ['example.org/x-y=z', true],
    ['', true],
  ])('%s', (selector, expected) => {
    const object = labelled({ a: '1', b: '1', 'example.org/x-y': 'z' });
    expect(parseLabelSelector(selector)(object)).toBe(expected);
  });

  it('refuses what is no selector', () => {
    expect(() => parseLabelSelector('a > 1 2')).toThrow(StatusError);
  });
});

describe('parseFieldSelector()', () => {
  it.each([
    ['metadata.name=p', true],
    ['metadata.name!=p', false],
    ['status.phase=Running,spec.nodeName==local', true],
    ['involvedObject.name=x', false],
  ])('%s', (selector, expected) => {
    expect(parseFieldSelector(selector)(labelled({}))).toBe(expected);
  });

  it('refuses a field that cannot be selected by', () => {
    expect(() => parseFieldSelector('spec.x=1')).toThrow(/field label not supported/);
  });
});
