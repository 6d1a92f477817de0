import type { Manifest } from '@reposure/core/deploy';
import * as z from 'zod';

const Values = z.record(z.string(), z.string()).catch({});
const Secret = z.object({
  apiVersion: z.literal('v1'),
  kind: z.literal('Secret'),
  data: Values,
  stringData: Values,
});

/** Shorter ones, such as a port or `true`, stand in every other line of a log. */
const shortestLength = 8;

/** What Secrets among the manifests hold: each value as it is, encoded, and line by line. */
export function secretsInManifests(manifests: readonly Manifest[]): string[] {
  return manifests.flatMap(({ object }) => {
    const { success, data: secret } = Secret.safeParse(object);
    if (!success) return [];
    const encoded = Object.values(secret.data);
    const plain = [
      ...Object.values(secret.stringData),
      ...encoded.map((value) => Buffer.from(value, 'base64').toString()),
    ];
    const lines = plain.flatMap((value) => value.split('\n'));
    return [...encoded, ...lines].filter((value) => value.trim().length >= shortestLength);
  });
}
