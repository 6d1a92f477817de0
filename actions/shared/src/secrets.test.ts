import { describe, expect, it } from 'vitest';

import { isLikelySecret } from './secrets.ts';

describe('isLikelySecret()', () => {
  it.each([
    ['ghp_16C7e42F292c6912E7710c838347Ae178B4a', true],
    ['team/app:dckr_pat_abc', true],
    ['app=github_pat_abc', true],
    ['eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.sig', true],
    ['team/app:1.2.3', false],
    ['registry.example:5000/npm-tools/task-app:sha-1a2b3c4', false],
    ['oci:build', false],
  ])('says of %s: %s', (text, verdict) => {
    expect(isLikelySecret(text)).toBe(verdict);
  });
});
