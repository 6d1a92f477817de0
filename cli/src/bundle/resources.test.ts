import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { InputError } from '@reposure/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { readResources } from './resources.ts';

const head = 'apiVersion: tekton.dev/v1\nkind: Task\nmetadata: { name: ';
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bundle-'));
});

afterEach(() => rm(directory, { recursive: true }));

async function fileOf(text: string): Promise<string> {
  const file = join(directory, 'file.yaml');
  await writeFile(file, text);
  return file;
}

describe('readResources()', () => {
  it('reads values as kubectl does: times and dates stay what was written', async () => {
    const spec = 'spec: { at: 12:30, day: 2024-01-02, run: yes, mode: 0644 }';
    const file = await fileOf(`${head}one }\n${spec}\n---\n${head}two }\n`);
    const [one, two] = await readResources([file]);
    expect(one).toMatchObject({
      metadata: { name: 'one' },
      spec: { at: '12:30', day: '2024-01-02', run: true, mode: 0o644 },
    });
    expect(two?.metadata.name).toBe('two');
  });

  it.each([
    ['is of somebody else', 'apiVersion: v1\nkind: Pod\nmetadata: { name: a }', /want tekton\.dev/],
    ['is no YAML', 'a: [', /Cannot read .*file\.yaml/],
  ])('refuses what %s', async (_, text, message) => {
    const failing = readResources([await fileOf(text)]);
    await expect(failing).rejects.toThrow(InputError);
    await expect(failing).rejects.toThrow(message);
  });
});
