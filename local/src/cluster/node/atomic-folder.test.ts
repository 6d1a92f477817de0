import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { writeAtomically } from './atomic-folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reposure-atomic-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const files = (texts: Record<string, string>, mode = 0o644) =>
  new Map(Object.entries(texts).map(([path, text]) => [path, { bytes: Buffer.from(text), mode }]));
const read = (path: string): string => readFileSync(join(folder, path), 'utf8');
const version = (): string => readlinkSync(join(folder, '..data'));

describe('writeAtomically()', () => {
  it('shows every file through one link, with its mode', () => {
    writeAtomically(folder, files({ a: '1', 'd/e/f': '2' }, 0o400));
    expect([read('a'), read('d/e/f')]).toEqual(['1', '2']);
    expect(readlinkSync(join(folder, 'd'))).toBe('..data/d');
    expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o400);
  });

  it('replaces all files at once, removes what is gone, and keeps one version', () => {
    writeAtomically(folder, files({ a: '1', b: '1' }));
    const before = version();
    writeAtomically(folder, files({ a: '2', c: '2' }));
    expect(readdirSync(folder).toSorted()).toEqual([version(), '..data', 'a', 'c'].toSorted());
    expect([read('a'), read('c')]).toEqual(['2', '2']);
    expect(version()).not.toBe(before);
  });

  it('does nothing when nothing has changed', () => {
    writeAtomically(folder, files({ a: '1', 'd/e': '2' }));
    const before = version();
    writeAtomically(folder, files({ a: '1', 'd/e': '2' }));
    expect(version()).toBe(before);
    writeAtomically(folder, files({ a: '1', 'd/e': '2' }, 0o600));
    expect(version()).not.toBe(before);
  });
});
