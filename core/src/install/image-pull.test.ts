import { describe, expect, it } from 'vitest';

import type { ImagePull } from './image-pull.ts';
import { operatorObjects } from './operator-objects.ts';
import { simpleObjects } from './simple-objects.ts';

const pull: ImagePull = { imagePullPolicy: 'Never', imagePullSecrets: ['one', 'two'] };
const image = 'mirror.test/app:1';
const makers = { operatorObjects, simpleObjects };

function podSpecOf(make: keyof typeof makers, options: ImagePull): Record<string, unknown> {
  const objects = makers[make]({ namespace: 'ci', image, ...options });
  const deployment = objects.find(({ kind }) => kind === 'Deployment');
  const spec = deployment?.['spec'] as { template: { spec: Record<string, unknown> } };
  return spec.template.spec;
}

describe.each(['operatorObjects', 'simpleObjects'] as const)('%s()', (make) => {
  it('says how nodes come by the image', () => {
    expect(podSpecOf(make, pull)).toMatchObject({
      imagePullSecrets: [{ name: 'one' }, { name: 'two' }],
      containers: [{ image, imagePullPolicy: 'Never' }],
    });
  });

  it('leaves it to Kubernetes if nobody says anything', () => {
    expect(JSON.stringify(podSpecOf(make, {}))).not.toMatch(/pull/i);
  });
});

describe('operatorObjects()', () => {
  it('tells the operator how surrogates are pulled', () => {
    const { containers } = podSpecOf('operatorObjects', pull) as {
      containers: [{ command: string[] }];
    };
    expect(containers[0].command.filter((word) => word.includes('pull'))).toEqual([
      '--image-pull-policy=Never',
      '--image-pull-secret=one',
      '--image-pull-secret=two',
    ]);
  });
});
