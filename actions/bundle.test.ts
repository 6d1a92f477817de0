import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { writeBundle } from './write-bundle.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bundle-'));
  await writeBundle(directory);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function filesOf(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).toSorted();
  return new Map(
    await Promise.all(
      paths.map(
        async (path) => [path.slice(folder.length + 1), await readFile(path, 'utf8')] as const,
      ),
    ),
  );
}

describe('dist/', () => {
  it('is what `npm run bundle` makes of the sources, byte for byte', async () => {
    const [made, kept] = [await filesOf(directory), await filesOf(join(root, 'dist'))];
    expect([...kept.keys()]).toEqual([...made.keys()]);
    const stale = [...made].filter(([name, text]) => kept.get(name) !== text);
    expect(
      stale.map(([name]) => name),
      'npm run bundle brings it up to date',
    ).toEqual([]);
  });

  it('tells nothing of the machine that made it, and brings no source maps', async () => {
    for (const [name, text] of await filesOf(directory)) {
      expect(name).not.toMatch(/\.map$/);
      for (const trace of [root, tmpdir() + '/bundle-', 'sourceMappingURL=', 'node_modules/']) {
        expect(text.includes(trace), `${name}: ${trace}`).toBe(false);
      }
    }
  });

  it('brings the licence of every package in it, and of no other', async () => {
    const text = await readFile(join(directory, 'licenses.txt'), 'utf8');
    const heads = [...text.matchAll(/^-{80}\n((\S+)@\S+) \(\S+\)$/gm)];
    const packages = heads.map(([, , name]) => name);
    expect(packages).toEqual(expect.arrayContaining(['@actions/core', 'tar', 'ws', 'yaml', 'zod']));
    // What only logins by OIDC would need is not in the bundle.
    expect(packages).not.toContain('@actions/http-client');
    // Two versions of one package are two.
    expect(new Set(heads.map(([, head]) => head)).size).toBe(heads.length);
  });
});
