import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { makeServerCertificate } from '../certificates.ts';
import { certificatesIn } from './certificate-folder.ts';
import { loginFolders } from './login-folders.ts';

let folder: string;
const auth = (text: string): object => ({ auth: Buffer.from(text).toString('base64') });

async function filled(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  for (const [file, text] of Object.entries(files)) await writeFile(join(path, file), text);
  return path;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mounted-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('loginFolders()', () => {
  it('takes the first login for the host, of either file, and passes over what is not there', async () => {
    const one = await filled('one', {
      'config.json': JSON.stringify({ auths: { 'a.io': auth('a:1') } }),
    });
    const two = await filled('two', {
      '.dockerconfigjson': JSON.stringify({ auths: { 'a.io': auth('b:2'), 'b.io': auth('b:3') } }),
    });
    const find = loginFolders(['', join(folder, 'none'), one, two]);
    expect(await find('a.io')).toMatchObject({ username: 'a' });
    expect(await find('b.io')).toMatchObject({ username: 'b' });
    expect(await find('c.io')).toBeUndefined();
  });

  it('runs no helper that a file names', async () => {
    const helped = await filled('helped', { 'config.json': '{"credsStore":"none-such"}' });
    expect(await loginFolders([helped])('a.io')).toBeUndefined();
  });

  it('says what is wrong with a file that cannot be looked at', async () => {
    const looping = await filled('looping', {});
    await symlink('config.json', join(looping, 'config.json'));
    await expect(loginFolders([looping])('a.io')).rejects.toThrow(/config\.json.*ELOOP/);
  });

  it('says what a folder wants that has something else', async () => {
    const wrong = await filled('wrong', { username: 'a' });
    await expect(loginFolders([wrong])('a.io')).rejects.toThrow(
      /want config\.json or \.dockerconfigjson/,
    );
  });
});

describe('certificatesIn()', () => {
  it('takes certificates and nothing else', async () => {
    const { certificatePem, keyPem } = await makeServerCertificate({
      dnsNames: ['a.svc'],
      addresses: [],
    });
    const path = await filled('certificates', {
      'ca.crt': `${keyPem}${certificatePem}`,
      other: certificatePem,
    });
    const pem = await certificatesIn(path);
    expect(pem.match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
    expect(pem).not.toContain('PRIVATE');
  });

  it('never trusts less where there is none', async () => {
    const none = await filled('no-certificates', { 'ca.crt': 'nothing' });
    await expect(certificatesIn(none)).rejects.toThrow(/there is none/);
  });
});
