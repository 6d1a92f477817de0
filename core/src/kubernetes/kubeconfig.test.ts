import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { loadAccess } from './kubeconfig.ts';

describe('loadAccess()', () => {
  let folder = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reposure-kubeconfig-'));
  });

  afterAll(() => rm(folder, { recursive: true }));

  async function write(name: string, text: string): Promise<string> {
    const path = join(folder, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, text);
    return path;
  }

  const first = `
current-context: a
clusters:
- {name: one, cluster: {server: 'https://one.test:6443/', certificate-authority: pki/ca.crt}}
contexts:
- {name: a, context: {cluster: one, user: me, namespace: ci}}
- {name: broken, context: {cluster: gone, user: me}}
- {name: nouser, context: {cluster: one, user: gone}}
- {name: anonymous, context: {cluster: one}}
users:
`;
  const second = `
current-context: b
clusters:
- {name: one, cluster: {server: 'https://other.test'}}
- {name: two, cluster: {server: two.test/k8s/clusters/c-1/, proxy-url: ''}}
contexts:
- {name: b, context: {cluster: two, user: me}}
users:
- {name: me, user: {tokenFile: token, client-key: /abs/key, exec: {apiVersion: v1, command: ./login, env: null, args: null}}}
`;

  it('merges files: the first to say something wins, one that is not there is passed over', async () => {
    const paths = [
      join(folder, 'absent'),
      await write('x/first', first),
      await write('y/second', second),
    ];
    const kubeconfig = paths.join(delimiter);
    await expect(loadAccess({ kubeconfig, env: {} })).resolves.toMatchObject({
      contextName: 'a',
      namespace: 'ci',
      server: 'https://one.test:6443',
      cluster: { 'certificate-authority': join(folder, 'x/pki/ca.crt') },
      user: {
        tokenFile: join(folder, 'y/token'),
        'client-key': '/abs/key',
        exec: { command: join(folder, 'y/login') },
      },
    });
    await expect(loadAccess({ kubeconfig, context: 'b', env: {} })).resolves.toMatchObject({
      server: 'https://two.test/k8s/clusters/c-1',
      namespace: 'default',
    });
    await expect(loadAccess({ kubeconfig, context: 'anonymous', env: {} })).resolves.toMatchObject({
      userName: '',
    });
  });

  it('takes ~/.kube/config where nothing is said', async () => {
    await write('home/.kube/config', first.replace('user: me,', ''));
    await expect(
      loadAccess({ kubeconfig: '', env: { HOME: join(folder, 'home') } }),
    ).resolves.toMatchObject({ contextName: 'a' });
  });

  it.each([
    ['no-such', /it has no context "no-such"; want one of: a, broken, nouser, anonymous/],
    ['broken', /refers to the cluster "gone", which is not there; want one of: one/],
    ['nouser', /refers to the user "gone"/],
  ])('refuses the context %s', async (context, message) => {
    const kubeconfig = await write('contexts', first);
    const failure = await loadAccess({ kubeconfig, context, env: {} }).catch((e: unknown) => e);
    expect(failure).toMatchObject({ code: 'KUBECONFIG_INVALID' });
    expect(String(failure)).toMatch(message);
  });

  it.each([
    [
      'no context',
      'clusters: [{name: c, cluster: {server: "https://c.test"}}]',
      /no current-context/,
    ],
    ['no cluster', 'current-context: c\ncontexts: [{name: c, context: {}}]', /the cluster ""/],
    ['no YAML', 'users: [{name: me, user: {token: "s3cret', /want clusters, users and contexts/],
    ['another shape', 'clusters: 7', /clusters/],
    [
      'a login in the URL',
      'current-context: c\ncontexts: [{name: c, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: "https://me:s3cret@c.test"}}]',
      /a login in it/,
    ],
  ])('says what is wrong with %s, and names the file', async (name, text, message) => {
    const kubeconfig = await write(name, text);
    const failure = await loadAccess({ kubeconfig, env: {} }).catch((e: unknown) => e);
    expect(failure).toMatchObject({ code: 'KUBECONFIG_INVALID' });
    expect(String(failure)).toMatch(message);
    expect(String(failure)).toContain(kubeconfig);
    expect(String(failure)).not.toContain('s3cret');
  });

  it('takes the file kubeconfig of a folder, with the paths in it', async () => {
    const file = await write('mounted/kubeconfig', first);
    const kubeconfig = join(folder, 'mounted');
    await expect(loadAccess({ kubeconfig, context: 'anonymous', env: {} })).resolves.toMatchObject({
      source: file,
      cluster: { 'certificate-authority': join(kubeconfig, 'pki/ca.crt') },
    });
    await write('other/config', first);
    const other = loadAccess({ kubeconfig: join(folder, 'other'), env: {} });
    await expect(other).rejects.toThrow(/other\/kubeconfig: it is not in that folder/);
  });

  it('says what was looked for where there is nothing', async () => {
    const env = { HOME: join(folder, 'nobody') };
    await expect(loadAccess({ env }, join(folder, 'nothing'))).rejects.toThrow(
      /there is no .*nobody\/\.kube\/config, and this is no Pod.*set KUBECONFIG/,
    );
  });

  it("takes the Pod's ServiceAccount where there is no kubeconfig", async () => {
    await write('account/token', 'token');
    await write('account/namespace', 'team\n');
    const env = {
      HOME: join(folder, 'nobody'),
      KUBERNETES_SERVICE_HOST: 'fd00::1',
      KUBERNETES_SERVICE_PORT: '6443',
    };
    await expect(loadAccess({ env }, join(folder, 'account'))).resolves.toMatchObject({
      server: 'https://[fd00::1]:6443',
      namespace: 'team',
      user: { tokenFile: join(folder, 'account/token') },
      cluster: { 'certificate-authority': join(folder, 'account/ca.crt') },
    });
  });
});
