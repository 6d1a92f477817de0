import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { runCredentialHelper } from './credential-helper.ts';

const helpers: Record<string, string> = {
  echo: 'read -r server; printf \'{"ServerURL":"%s","Username":"%s","Secret":"s"}\' "$server" "$1 $server"',
  token: 'printf \'{"Username":"<token>","Secret":"refresh"}\'',
  missing: 'echo "credentials not found in native keychain"; exit 1',
  broken: 'echo "hunter2"; exit 3',
  garbage: 'echo "hunter2"',
  flood: 'cat /dev/zero',
};

describe('runCredentialHelper()', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'reposure-helpers-'));
    for (const [name, script] of Object.entries(helpers)) {
      const file = join(directory, `docker-credential-${name}`);
      await writeFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
  });
  beforeEach(() => void vi.stubEnv('PATH', `${directory}${delimiter}${process.env['PATH']}`));
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('asks on standard input', async () => {
    const found = await runCredentialHelper('echo', 'host.io');
    expect(found).toEqual({ kind: 'basic', username: 'get host.io', password: 's' });
  });

  it('gives nothing to a shell', async () => {
    const found = await runCredentialHelper('echo', '$(touch x); host.io');
    expect(found).toMatchObject({ username: 'get $(touch x); host.io' });
  });

  it('reads an identity token', async () => {
    expect(await runCredentialHelper('token', 'host.io')).toEqual({
      kind: 'token',
      token: 'refresh',
    });
  });

  it('has nothing where the helper has nothing', async () => {
    expect(await runCredentialHelper('missing', 'host.io')).toBeUndefined();
  });

  it.each([
    ['broken', /ended with status 3/],
    ['garbage', /not a login/],
    ['not-installed', /not installed/],
    ['../evil', /not its name/],
    ['flood', /more than 65536 bytes/],
  ])('fails with %s, without repeating what it said', async (helper, message) => {
    const failure: unknown = await runCredentialHelper(helper, 'host.io').catch(
      (error: unknown) => error,
    );
    expect(String(failure)).toMatch(message);
    expect(String(failure)).not.toContain('hunter2');
  });
});
