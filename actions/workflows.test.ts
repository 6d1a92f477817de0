import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { hasTool, runProgram } from '../test/support/tools.ts';

const folders = ['../.github/workflows/', '../examples/pipelines/github/'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

describe.each(folders)('%s', async (folder) => {
  const files = (await readdir(folder))
    .filter((name) => name.endsWith('.yml'))
    .map((name) => `${folder}${name}`);

  it.skipIf(!hasTool('actionlint'))('pass actionlint', async () => {
    const { status, stdout } = await runProgram(['actionlint', '-no-color', ...files]);
    expect(stdout.toString()).toBe('');
    expect(status).toBe(0);
  });

  it.skipIf(!hasTool('act'))("pass the schema of GitHub's runner, as act has it", async () => {
    const home = await mkdtemp(join(tmpdir(), 'act-'));
    for (const file of files) {
      const command = ['act', '--validate', '--strict', '--workflows', file];
      const { status, stderr } = await runProgram(command, { env: { HOME: home } });
      expect(stderr).not.toContain('Error');
      expect(status).toBe(0);
    }
    await rm(home, { recursive: true });
  });

  it('use actions of others by commit, with the version beside it', async () => {
    for (const file of files) {
      const lines = (await readFile(file, 'utf8')).split('\n');
      const used = lines.filter((line) => line.includes('uses: ') && !isOurs(line));
      expect(used.length).toBeGreaterThan(0);
      for (const line of used)
        expect(line).toMatch(/uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    }
  });
});

function isOurs(line: string): boolean {
  return /uses: (?:\.\/|reposure\/reposure\/actions\/\w+@v1$)/.test(line);
}
