import { describe, expect, it } from 'vitest';

import { dockerConfigSecrets } from './credential-files.ts';

describe('dockerConfigSecrets()', () => {
  it('finds passwords, tokens, and the login of auth taken apart', () => {
    const auth = Buffer.from('someone:pass:word').toString('base64');
    const config = {
      auths: {
        'ghcr.io': { auth },
        'quay.io': { username: 'robot', password: 'plain', identitytoken: 'refresh' },
      },
      credHelpers: { 'gcr.io': 'gcloud' },
    };
    const found = dockerConfigSecrets(JSON.stringify(config));
    expect(found.toSorted()).toEqual([auth, 'pass:word', 'plain', 'refresh'].toSorted());
  });

  it('finds none in what is no configuration', () => {
    expect(dockerConfigSecrets('{')).toEqual([]);
  });
});
