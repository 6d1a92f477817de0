import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { hash } from 'bcryptjs';
import { describe, expect, it } from 'vitest';

import { hasTool } from '../../../test/support/tools.ts';
import { startFixture } from './test/fixture.ts';

const execute = promisify(execFile);

/** A folder with an archive of one file, a login for `ann`, and an environment for a client. */
async function prepare() {
  const directory = await mkdtemp(join(tmpdir(), 'reposure-clients-'));
  const [home, file, archive] = ['home', 'hello.txt', 'layer.tar'].map((name) =>
    join(directory, name),
  );
  await mkdir(home ?? '');
  await writeFile(file ?? '', 'hello\n'.repeat(100_000));
  await execute('tar', ['-cf', archive ?? '', '-C', directory, 'hello.txt']);
  const htpasswdFile = join(directory, 'htpasswd');
  await writeFile(htpasswdFile, `ann:${await hash('secret', 4)}\n`);
  const auths = (host: string) => ({ [host]: { auth: btoa('ann:secret') } });
  return {
    directory,
    layer: archive ?? '',
    htpasswdFile,
    logIn: async (host: string) => {
      await writeFile(join(home ?? '', 'config.json'), JSON.stringify({ auths: auths(host) }));
    },
    run: async (tool: string, ...args: string[]): Promise<string> => {
      const authFile = join(home ?? '', 'config.json');
      const env = { ...process.env, HOME: home, DOCKER_CONFIG: home, REGISTRY_AUTH_FILE: authFile };
      return (await execute(tool, args, { env })).stdout.trim();
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

describe('the registry with other clients', () => {
  it.skipIf(!hasTool('crane'))('is pushed to, listed, validated and cleared by crane', async () => {
    await using given = await prepare();
    await using fixture = await startFixture({ htpasswdFile: given.htpasswdFile });
    const { host } = fixture.registry;
    await given.logIn(host);
    const image = `${host}/some/image`;
    await given.run(
      'crane',
      'append',
      '--oci-empty-base',
      '-f',
      given.layer,
      '-t',
      `${image}:1.2.3`,
    );
    const digest = await given.run('crane', 'digest', `${image}:1.2.3`);
    await given.run('crane', 'validate', '--remote', `${image}:1.2.3`);
    await given.run('crane', 'copy', `${image}:1.2.3`, `${host}/another/image:latest`);
    expect(await given.run('crane', 'catalog', host)).toBe('another/image\nsome/image');
    expect(await given.run('crane', 'digest', `${host}/another/image`)).toBe(digest);
    await given.run('crane', 'tag', `${image}:1.2.3`, 'second');
    expect(await given.run('crane', 'ls', image)).toBe('1.2.3\nsecond');
    await given.run('crane', 'delete', `${image}@${digest}`);
    expect(await given.run('crane', 'ls', image)).toBe('');
  });

  it.skipIf(!hasTool('skopeo'))('gives skopeo the bytes that it was given', async () => {
    await using given = await prepare();
    await using fixture = await startFixture({ htpasswdFile: given.htpasswdFile });
    const { host } = fixture.registry;
    await given.logIn(host);
    const source = `oci:${join(given.directory, 'source')}:one`;
    await given.run('skopeo', '--insecure-policy', 'copy', `tarball:${given.layer}`, source);
    const image = `docker://${host}/some/image:one`;
    const to = ['--dest-tls-verify=false', image];
    await given.run('skopeo', '--insecure-policy', 'copy', source, ...to);
    const sent = await given.run('skopeo', 'inspect', '--raw', source);
    expect(await given.run('skopeo', 'inspect', '--raw', '--tls-verify=false', image)).toBe(sent);
    const target = `oci:${join(given.directory, 'target')}:one`;
    const from = ['--src-tls-verify=false', image];
    await given.run('skopeo', '--insecure-policy', 'copy', ...from, target);
    expect(await given.run('skopeo', 'inspect', '--raw', target)).toBe(sent);
    await given.run('skopeo', 'delete', '--tls-verify=false', image);
    await expect(
      given.run('skopeo', 'inspect', '--raw', '--tls-verify=false', image),
    ).rejects.toThrow('one');
  });
});
