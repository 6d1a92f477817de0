import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { kubeconfigFile } from './kubeconfig.ts';

const text = `apiVersion: v1
kind: Config
clusters: []
users:
- name: a
  user:
    token: very-secret-token
    client-key-data: ${Buffer.from('first line of key\nsecond line of key').toString('base64')}
`;

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('kubeconfigFile()', () => {
  it.each([
    ['its text', text],
    ['base64', Buffer.from(text).toString('base64')],
  ])('takes %s, masks what is secret, and leaves nothing', async (_, input) => {
    const masked: string[] = [];
    const file = await kubeconfigFile(input, directory, (secret) => masked.push(secret));
    expect(await readFile(file.path ?? '', 'utf8')).toBe(text);
    expect((await stat(file.path ?? '')).mode & 0o777).toBe(0o600);
    expect(masked).toEqual(
      expect.arrayContaining(['very-secret-token', 'first line of key', 'second line of key']),
    );
    await file.remove();
    expect(await readdir(directory)).toEqual([]);
  });

  it('leaves a path as it is', async () => {
    const file = await kubeconfigFile('/home/runner/.kube/config', directory, () => {});
    expect(file.path).toBe('/home/runner/.kube/config');
    expect(await readdir(directory)).toEqual([]);
  });
});
