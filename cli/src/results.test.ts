import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { resultCommand } from './commands/result.ts';
import { resultOption, writeResults } from './results.ts';
import type { ResultFiles } from './results.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'results-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const parsed = (...words: readonly string[]): ResultFiles | undefined =>
  new Command('x')
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .addOption(resultOption(['digest', 'url']))
    .option('--route <route>', '', (text) => {
      throw new Error(text);
    })
    .parse([...words], { from: 'user' })
    .opts<{ result?: ResultFiles }>().result;

describe('--result', () => {
  it('has every file there and empty before anything can fail', () => {
    const file = join(folder, 'early');
    writeFileSync(file, 'old');
    expect(() => parsed(`--result=digest=${file}`, '--route=sideways')).toThrow('sideways');
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  it('writes values without a newline, and nothing for what is not known', () => {
    const [digest, url] = [join(folder, 'digest'), join(folder, 'url')];
    writeResults(parsed(`--result=digest=${digest}`, `--result=url=${url}`), {
      digest: 'sha256:1',
    });
    expect([digest, url].map((file) => readFileSync(file, 'utf8'))).toEqual(['sha256:1', '']);
  });

  it('refuses more than Tekton reads, and leaves the files empty', () => {
    const file = join(folder, 'large');
    const files = parsed(`--result=url=${file}`);
    expect(() => writeResults(files, { url: 'x'.repeat(4096) })).toThrow(/want at most 4096/);
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  it('makes an array of words, with what is always there', async () => {
    const file = join(folder, 'array');
    const words = [
      'array',
      file,
      '--first=--format=oci',
      '--prefix=--build-arg=',
      '--',
      '',
      'A=-1',
    ];
    await resultCommand().parseAsync(words, { from: 'user' });
    expect(readFileSync(file, 'utf8')).toBe('["--format=oci","--build-arg=A=-1"]');
  });

  it.each(['nothing', 'colour=/tmp/x', 'digest='])('refuses %s', (text) => {
    expect(() => parsed(`--result=${text}`)).toThrow(/NAME=FILE/);
  });
});
