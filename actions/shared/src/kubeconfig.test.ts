import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { InputError } from '@reposure/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { kubeconfigPath } from './kubeconfig.ts';

const text = `apiVersion: v1
kind: Config
clusters: []
users:
- name: a
  user:
    token: very-secret-token
    client-key-data: ${Buffer.from('-----BEGIN KEY-----\nfirst line of key\nsecond line of key').toString('base64')}
- name: b
  user:
    exec:
      command: get-token
      env:
      - {name: CLOUD_SECRET_KEY, value: secret-of-plugin}
      - {name: CLOUD_REGION, value: north-1}
`;
const base64 = Buffer.from(text).toString('base64');

let directory: string;
let masked: string[];
const pathOf = (input: string): Promise<string> =>
  kubeconfigPath(input, directory, (secret) => masked.push(secret));

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  masked = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('kubeconfigPath()', () => {
  it.each([
    ['its text', text],
    ['base64', base64],
    ['base64 in lines', base64.replaceAll(/.{76}/g, '$&\n')],
  ])('takes %s, and masks what is secret', async (_, input) => {
    const path = await pathOf(input);
    expect(await readFile(path, 'utf8')).toBe(text);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const secrets = ['very-secret-token', 'first line of key', 'second line of key'];
    expect(masked).toEqual(expect.arrayContaining([...secrets, 'secret-of-plugin']));
    expect(masked).not.toContain('north-1');
    expect(masked).not.toContain('-----BEGIN KEY-----');
    expect(masked.includes(input)).toBe(input !== text);
  });

  it('leaves a path as it is', async () => {
    const long = join(directory, 'a'.repeat(80));
    await writeFile(long, text);
    expect(await pathOf(long)).toBe(long);
    const several = [long, join(directory, 'absent')].join(delimiter);
    expect(await pathOf(several)).toBe(several);
    expect(await readdir(directory)).toEqual(['a'.repeat(80)]);
  });

  it.each([
    ['base64 of something else', Buffer.from('secret '.repeat(20)).toString('base64')],
    ['lines of something else', 'secret\nlines'],
    ['a word', 'kubeconfig-secret'],
    ['YAML of another kind', 'apiVersion: v1\nkind: Secret\ndata: {token: secret}'],
    ['broken YAML', 'apiVersion: v1\nusers: [{token: secret'],
  ])('refuses %s, and does not quote it', async (_, input) => {
    const failure: unknown = await pathOf(input).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InputError);
    expect(String(failure)).toContain('input "kubeconfig"');
    for (const line of input.split('\n')) expect(String(failure)).not.toContain(line);
    expect(await readdir(directory)).toEqual([]);
  });
});
