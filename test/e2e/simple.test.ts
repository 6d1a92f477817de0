import { afterAll, beforeAll, expect, it } from 'vitest';

import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { describeSimple } from './simple.ts';

let embedded: EmbeddedWorld;

beforeAll(async () => {
  embedded = await startEmbeddedWorld();
});

afterAll(async () => {
  await embedded.close();
});

describeSimple(
  'the embedded cluster',
  () => ({
    world: { env: embedded.env, namespace: 'simple' },
    options: {
      nodeAddress: 'localhost',
      storage: '--storage 1Gi',
      settle: '5s',
      isHasty: true,
    },
  }),
  (place) => {
    it.each([
      ['simple install --storage 1Gi --s3-bucket images', /want one place for images/],
      ['simple install --storage 1Gi --storage-class fast', /storage class "fast": there is none/],
      ['simple install --tls=cert-manager', /no Issuer in cert-manager.io\/v1/],
      ['simple install --tls-secret nobody', /nobody: it does not exist/],
      ['simple install --s3-bucket images --s3-secret nobody', /no Secret simple\/nobody/],
    ])('refuses, and leaves everything as it is: %s', async (words, message) => {
      const before = await place().ok('kubectl get deployment,secret -o yaml');
      const { status, stderr } = await place().run(`reposure ${words}`);
      expect([status, stderr]).toEqual([expect.toBeOneOf([1, 2]), expect.stringMatching(message)]);
      expect(await place().ok('kubectl get deployment,secret -o yaml')).toBe(before);
    });
  },
);
