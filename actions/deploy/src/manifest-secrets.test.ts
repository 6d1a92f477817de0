import { parseManifests } from '@reposure/core/deploy';
import { describe, expect, it } from 'vitest';

import { secretsInManifests } from './manifest-secrets.ts';

describe('secretsInManifests()', () => {
  it('finds what Secrets hold, encoded and plain, and nothing that others do', () => {
    const encoded = Buffer.from('from-data').toString('base64');
    const text = `
apiVersion: v1
kind: Secret
metadata: {name: a}
data: {password: ${encoded}}
stringData: {port: "5432", key: "first line of key\\nsecond line of key"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b}
data: {color: very-public}
---
apiVersion: v1
kind: Secret
metadata: {name: c}
`;
    expect(secretsInManifests(parseManifests(text, 'a test'))).toEqual([
      encoded,
      'first line of key',
      'second line of key',
      'from-data',
    ]);
  });
});
