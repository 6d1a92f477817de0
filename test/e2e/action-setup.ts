import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { version } from '@reposure/core';
import { describe, expect, it } from 'vitest';

import type { ActionWorld } from '../support/action-world.ts';
import { expectNoSecrets, tokenOf } from './action-secrets.ts';

const run = promisify(execFile);

/** What actions/setup does; the world was made ready by it. */
export function describeSetup(given: () => ActionWorld): void {
  describe('actions/setup', () => {
    it('says where the registry is, and keeps the kubeconfig to this user and out of the workspace', async () => {
      const { cli, kubeconfig, origin, ready } = given();
      const pushHost = (await cli('registry', 'info', 'default', 'push-host')).toString().trim();
      expect(ready.outputs).toMatchObject({
        'registry-host': origin,
        'push-host': pushHost,
        version,
        'ca-file': '',
      });
      const path = ready.outputs['kubeconfig'] ?? '';
      expect(ready.variables['KUBECONFIG']).toBe(path);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(path).toContain('/temp/');
      expect(ready.summary).toContain(`<td>${origin}</td>`);
      expectNoSecrets(ready, [tokenOf(kubeconfig)]);
    });

    it('puts `reposure` on the PATH, which needs no Node of the machine', async () => {
      const { ready } = given();
      const [bin = ''] = ready.paths;
      const env = { PATH: `${bin}:/usr/bin:/bin`, ...ready.variables, HOME: bin };
      // /usr/bin may have a Node, and an old one.
      const { stdout } = await run('env', ['-i', ...entriesOf(env), 'reposure', 'version'], {
        env,
      });
      expect(stdout).toContain(version);
      const listed = await run('reposure', ['registry', 'list', '-o', 'name'], { env });
      expect(listed.stdout).toContain('default');
      expect(await readFile(join(bin, 'reposure.cmd'), 'utf8')).toMatch(
        /^@".*" ".*reposure\.js" %\*\r\n$/,
      );
    });

    it('starts a bridge that lets in who has its login', async () => {
      const { ready } = given();
      const { REGISTRY = '' } = ready.variables;
      expect(ready.outputs['bridge']).toBe(REGISTRY);
      const auth = await loginOf(ready.variables);
      const url = `http://${REGISTRY}/v2/`;
      expect((await fetch(url)).status).toBe(401);
      const headers = { authorization: `Basic ${auth}` };
      expect((await fetch(url, { headers })).status).toBe(200);
      expectNoSecrets(ready, [auth]);
    });

    it('only looks at an operator that is there, where it is asked to', async () => {
      const { setup } = given();
      const checked = await setup({ operator: 'check', cli: 'false' });
      expect(checked).toMatchObject({ status: 0, paths: [] });
      expect(checked.log).toContain('The operator in namespace "default" works');
    });

    it('ends the bridge in post, says what was pushed, and leaves nothing', async () => {
      const { kubeconfig, origin, runners } = given();
      const begun = await runners.setup.run({
        inputs: { kubeconfig, operator: 'skip', bridge: 'true' },
      });
      const url = `http://${begun.outputs['bridge']}/v2/`;
      expect((await fetch(url)).status).toBe(401);
      const mediaType = 'application/vnd.oci.image.index.v1+json';
      const authorization = `Basic ${await loginOf(begun.variables)}`;
      const { status, headers } = await fetch(`${url}e2e/posted/manifests/1`, {
        method: 'PUT',
        headers: { 'content-type': mediaType, authorization },
        body: JSON.stringify({ schemaVersion: 2, mediaType, manifests: [] }),
      });
      expect(status).toBe(201);
      const before = await runners.setup.left();
      const post = await runners.setup.runPost();
      const digest = headers.get('docker-content-digest');
      expect(post).toMatchObject({
        status: 0,
        log: `Pushed ${origin}/e2e/posted@${digest}\n`,
      });
      expect(post.left).toHaveLength(before.length - 1);
      await expect(fetch(url)).rejects.toThrow('fetch failed');
    });
  });
}

/** What a bridge wants to hear, as docker finds it. */
async function loginOf(variables: Readonly<Record<string, string>>): Promise<string> {
  const { DOCKER_CONFIG = '', REGISTRY = '' } = variables;
  const text = await readFile(join(DOCKER_CONFIG, 'config.json'), 'utf8');
  const { auths } = JSON.parse(text) as { auths: Record<string, { auth: string }> };
  return auths[REGISTRY]?.auth ?? '';
}

function entriesOf(env: Record<string, string>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}
