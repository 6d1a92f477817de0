import { resourceTypes } from '@reposure/core/kubernetes';
import { conditionOf } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hasTool } from '../support/tools.ts';
import { openUserShell } from '../support/user-shell.ts';
import type { ClusterWorld, UserShell } from '../support/user-shell.ts';

const hasKubectl = hasTool('kubectl');

/**
 * The predecessor's command lines, as its README and its lab/test have them, and its manifests.
 *
 * @see https://github.com/tliron/reposure/blob/main/README.md
 */
export function describePredecessor(title: string, world: () => ClusterWorld): void {
  describe(`${title}, as a user of the predecessor knows it`, { timeout: 120_000 }, () => {
    let place: UserShell;
    const ok = (line: string, input?: Buffer): Promise<string> => place.ok(line, input);

    beforeAll(async () => {
      place = await openUserShell(world());
    });

    afterAll(async () => {
      await place.close();
    });

    it('installs the operator, the simple registry and a Registry', async () => {
      await ok('reposure operator install --role=view --wait');
      await ok('reposure simple install --wait');
      await ok('reposure registry create default --provider=simple --wait');
      expect(await ok('reposure registry list')).toMatch(/\bdefault\b.*\bsimple\b.*\bTrue\n$/);
    });

    it('tells the host for podman tag', async () => {
      const host = `reposure-simple.${place.namespace}.svc:5000\n`;
      const lines = ['reposure registry info default host', 'reposure simple host'];
      expect(await Promise.all(lines.map((line) => ok(line)))).toEqual([host, host]);
    });

    it('pushes text files, into the default repository too, and unpacks them', async () => {
      await ok("echo 'Hello, world!' > hello.txt");
      await Promise.all([
        ok('reposure image push default test hello.txt'),
        ok('reposure image push default myrepo/hello hello.txt -v'),
      ]);
      const lines = [
        'reposure image pull default test --unpack',
        'reposure image pull default myrepo/hello --unpack -v',
      ];
      expect(await Promise.all(lines.map((line) => ok(line)))).toEqual([
        'Hello, world!\n',
        'Hello, world!\n',
      ]);
    });

    it('pulls a tarball to standard output, and pushes it as .tar, .tar.gz, .tgz and from standard input', async () => {
      await ok('reposure image pull default myrepo/hello > myimage.tar -v');
      expect(await ok('tar -tf myimage.tar')).toContain('manifest.json\n');
      await ok('gzip -k myimage.tar && cp myimage.tar.gz myimage.tgz');
      const pushes = [
        'reposure image push default myrepo/myimage myimage.tar -o name',
        'reposure image push default myrepo/myimage myimage.tar.gz -o name',
        'reposure image push default myrepo/myimage myimage.tgz -o name',
        'reposure image push default myrepo/myimage - -o name < myimage.tgz',
      ];
      const references = await Promise.all(pushes.map((line) => ok(line)));
      expect(references[0]).toMatch(/myrepo\/myimage(:latest)?@sha256:[0-9a-f]{64}\n$/);
      expect(new Set(references).size).toBe(1);
    });

    it('deletes an image, and lists the others', async () => {
      await ok('reposure image delete default myrepo/myimage');
      const list = (await ok('reposure image list default')).trimEnd().split('\n');
      expect(list.map((line) => line.split(/\s+/)[0])).toEqual([
        'IMAGE',
        'library/test:latest',
        'myrepo/hello:latest',
      ]);
    });

    it('prints the logs of the operator, the registry and the surrogate', async () => {
      const lines = [
        'reposure operator logs',
        'reposure simple logs',
        'reposure registry logs default --tail 1',
      ];
      const [operator, simple, surrogate] = await Promise.all(lines.map((line) => ok(line)));
      expect(operator).toContain(`Registry ${place.namespace}/default`);
      expect(simple).not.toBe('');
      expect(surrogate).toMatch(/^.+\n$/);
    });

    it.skipIf(!hasKubectl)('is told what a manifest that means plain HTTP lacks', async () => {
      await ok('kubectl apply -f -', manifestOf(place, 'plain', 'direct: {host: HOST}'));
      await expect
        .poll(() => readyMessage(place, 'plain'), { timeout: 20_000 })
        .toMatch(/does not speak TLS; want .* insecure/);
    });

    it('installs the simple registry anew with authentication and authorization', async () => {
      await ok('reposure simple install --authentication --authorization --wait');
      await ok('reposure registry create default --provider=simple --wait');
      await ok('reposure image push default test hello.txt');
      const lines = [
        'reposure image pull default test --unpack',
        'reposure registry info default username',
      ];
      expect(await Promise.all(lines.map((line) => ok(line)))).toEqual([
        'Hello, world!\n',
        'reposure\n',
      ]);
    });

    it.skipIf(!hasKubectl)(
      'takes manifests unchanged: direct, and indirect, with Secrets',
      async () => {
        const both = manifests.map(({ name, spec }) => manifestOf(place, name, spec));
        await ok('kubectl apply -f -', Buffer.concat(both));
        await ok(
          'kubectl wait --for=condition=Ready registry/direct registry/indirect --timeout=90s',
        );
        await ok('reposure image push direct by/both hello.txt');
        expect(await ok('reposure image pull indirect by/both --unpack')).toBe('Hello, world!\n');
      },
    );
  });
}

/** Every field of the predecessor's `spec`, as people wrote it. */
const manifests = [
  {
    name: 'direct',
    spec: `type: oci
  direct:
    host: HOST
  authenticationSecret: reposure-simple-authentication
  authenticationSecretDataKey: ca.crt
  authorizationSecret: reposure-simple-login`,
  },
  {
    name: 'indirect',
    spec: `type: oci
  indirect:
    namespace: NAMESPACE
    service: reposure-simple
    port: 5000
  authenticationSecret: reposure-simple-authentication
  authorizationSecret: reposure-simple-login`,
  },
] as const;

function manifestOf({ namespace }: UserShell, name: string, spec: string): Buffer {
  const filled = spec
    .replaceAll('HOST', `reposure-simple.${namespace}.svc:5000`)
    .replaceAll('NAMESPACE', namespace);
  return Buffer.from(`---
apiVersion: reposure.puccini.cloud/v1alpha1
kind: Registry
metadata:
  name: ${name}
spec:
  ${filled}
`);
}

async function readyMessage({ kubernetes, namespace }: UserShell, name: string): Promise<string> {
  const registry = await kubernetes.get<Registry>(resourceTypes.Registry, name, namespace);
  return conditionOf(registry, 'Ready')?.message ?? '';
}
