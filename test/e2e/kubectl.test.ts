import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { kubectls } from '../support/kubectl.ts';
import { runProgram } from '../support/tools.ts';
import type { Finished } from '../support/tools.ts';
import { openUserShell } from '../support/user-shell.ts';
import type { UserShell } from '../support/user-shell.ts';

const binaries = kubectls();
const surrogate = 'reposure-surrogate-default-0';

describe.skipIf(binaries.length === 0)('kubectl on the embedded cluster (needs kubectl)', () => {
  let embedded: EmbeddedWorld;
  let place: UserShell;

  beforeAll(async () => {
    embedded = await startEmbeddedWorld();
    place = await openUserShell({ env: embedded.env, namespace: 'kubectl' });
    await Promise.all([
      place.ok('reposure operator install --wait'),
      place.ok('reposure simple install'),
    ]);
    await place.ok('reposure registry create default --provider=simple');
  });

  afterAll(async () => {
    await place?.close();
    await embedded?.close();
  });

  describe.each(binaries)('$version', ({ file, version }) => {
    // One object per binary: they share the cluster.
    const name = `by-${version.replaceAll(/\W+/g, '-')}`;
    const run = (words: readonly string[], input?: Buffer): Promise<Finished> =>
      runProgram([file, ...words], {
        env: place.env,
        cwd: place.directory,
        ...(input ? { input } : {}),
      });
    const ok = async (words: readonly string[], input?: Buffer): Promise<string> => {
      const { status, stdout, stderr } = await run(words, input);
      expect({ words, status, stderr }).toEqual({ words, status: 0, stderr: '' });
      return stdout.toString();
    };
    const apply = (manifest: string): Promise<string> =>
      ok(['apply', '-f', '-'], Buffer.from(manifest));

    it('waits for a Registry, and gets it with our columns', async () => {
      const waited = await ok(['wait', '--for=condition=Ready', 'registry/default']);
      expect(waited).toBe('registry.reposure.puccini.cloud/default condition met\n');
      const [headings = '', row = ''] = (await ok(['get', 'registries', 'default'])).split('\n');
      expect(headings.split(/\s{2,}/)).toEqual([
        'NAME',
        'PROVIDER',
        'PUSH-HOST',
        'PULL-HOST',
        'READY',
        'REASON',
        'AGE',
      ]);
      expect(row).toMatch(
        /^default +simple +reposure-simple\.kubectl\.svc:5000 +True +Ready +\S+$/,
      );
    });

    it('knows the resource by all of its names', async () => {
      expect(await ok(['api-resources', '--api-group=reposure.puccini.cloud'])).toMatch(
        /\nregistries +reg +reposure\.puccini\.cloud\/v1alpha1 +true +Registry\n$/,
      );
      for (const word of ['reg', 'registry', 'registries.v1alpha1.reposure.puccini.cloud']) {
        expect(await ok(['get', word, 'default', '-o', 'name'])).toBe(
          'registry.reposure.puccini.cloud/default\n',
        );
      }
    });

    it('applies twice with one field changed, creates, and deletes', async () => {
      const object = `registry.reposure.puccini.cloud/${name}`;
      const manifest = manifestOf(name);
      expect(await apply(manifest)).toBe(`${object} created\n`);
      const changed = manifest.replace('one.example', 'two.example');
      expect(await apply(changed)).toBe(`${object} configured\n`);
      expect(await apply(changed)).toBe(`${object} unchanged\n`);
      const field = ['get', 'reg', name, '-o', 'jsonpath={.spec.pullHost} {.metadata.generation}'];
      expect(await ok(field)).toBe('two.example:5000 2');
      expect(await ok(['delete', 'reg', name])).toContain(`"${name}" deleted`);
      expect(await ok(['create', '-f', '-'], Buffer.from(manifest))).toBe(`${object} created\n`);
      const again = await run(['create', '-f', '-'], Buffer.from(manifest));
      expect(again).toMatchObject({ status: 1, stderr: expect.stringContaining('AlreadyExists') });
      await ok(['delete', object]);
      expect((await run(['get', 'reg', name])).stderr).toContain('(NotFound)');
    });

    it('is told by the schema what a manifest lacks', async () => {
      const both = manifestOf(name).replace(
        'provider: simple',
        'direct: {host: one}\n  indirect: {service: two}',
      );
      expect(await run(['apply', '-f', '-'], Buffer.from(both))).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('want exactly one of direct and indirect'),
      });
      const typo = manifestOf(name).replace('pullHost', 'pullhost');
      expect(await run(['apply', '-f', '-'], Buffer.from(typo))).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('unknown field "spec.pullhost"'),
      });
    });

    it('describes a Registry and its Pod, each with Events', async () => {
      const registry = await ok(['describe', 'registry', 'default']);
      expect(registry.split('\nEvents:')[1]).toMatch(/\bReady\b.*Images can be pushed/);
      const pod = await ok(['describe', 'pod', surrogate]);
      for (const reason of ['Scheduled', 'Pulled', 'Created', 'Started']) {
        expect(pod.split('\nEvents:')[1]).toContain(` ${reason} `);
      }
    });

    it('prints the log of a Pod', async () => {
      const log = await ok(['logs', surrogate]);
      expect(log).toContain('listening on');
      expect(await ok(['logs', surrogate, '-c', 'surrogate', '--tail=1'])).toBe(
        `${log.trimEnd().split('\n').at(-1)}\n`,
      );
    });

    it('execs with data both ways, and hands on how the program ended', async () => {
      const bytes = randomBytes(2_000_000);
      const { stdout, status } = await run(['exec', '-i', surrogate, '--', 'cat'], bytes);
      expect(status).toBe(0);
      expect(stdout.equals(bytes)).toBe(true);
      const failed = await run(['exec', surrogate, '--', 'sh', '-c', 'echo no >&2; exit 7']);
      expect(failed).toMatchObject({ status: 7, stderr: expect.stringContaining('no\n') });
    });
  });

  it('finds its plugin on the PATH', async () => {
    expect(await place.ok('kubectl reposure registry list -o name')).toBe(
      'registry.reposure.puccini.cloud/default\n',
    );
  });
});

function manifestOf(name: string): string {
  return `apiVersion: reposure.puccini.cloud/v1alpha1
kind: Registry
metadata:
  name: ${name}
spec:
  provider: simple
  pullHost: one.example:5000
  replicas: 0
`;
}
