import { writeFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { TarFiles } from './tar-files.ts';
import { failureOf, rawTar, useFolder, whole } from './test/fixtures.ts';
import type { RawEntry } from './test/fixtures.ts';

const folder = useFolder();

async function open(...entries: readonly RawEntry[]): Promise<TarFiles> {
  writeFileSync(folder('x.tar'), rawTar(...entries));
  return TarFiles.open(folder('x.tar'), 'x.tar');
}

describe('TarFiles', () => {
  it('finds entries by their plain path, at any offset', async () => {
    const files = await open(
      { path: './a//b', content: 'hello' },
      { path: 'large', content: Buffer.alloc(700_000, 'abcdefg') },
    );
    expect(String(await whole(files.read('a/b')))).toBe('hello');
    expect(String(await whole(files.read('a/b', { offset: 3 })))).toBe('lo');
    expect(await whole(files.read('large', { offset: 699_998 }))).toEqual(Buffer.from('fg'));
    expect((await whole(files.read('large'))).equals(Buffer.alloc(700_000, 'abcdefg'))).toBe(true);
    await files.close();
  });

  it('follows links inside the archive, as docker save writes them', async () => {
    const files = await open(
      { path: 'one/layer.tar', content: 'layer' },
      { path: 'two/layer.tar', type: 'SymbolicLink', linkPath: '../one/layer.tar' },
      { path: 'three', type: 'Link', linkPath: 'two/layer.tar' },
    );
    expect(String(await whole(files.read('three')))).toBe('layer');
    await files.close();
  });

  it('follows no link out of the archive, and no loop', async () => {
    const files = await open(
      { path: 'out', type: 'SymbolicLink', linkPath: '../../../../etc/passwd' },
      { path: 'absolute', type: 'SymbolicLink', linkPath: '/etc/passwd' },
      { path: 'a', type: 'SymbolicLink', linkPath: 'b' },
      { path: 'b', type: 'SymbolicLink', linkPath: 'a' },
    );
    for (const path of ['out', 'absolute', 'a', 'nothing']) {
      expect(await files.has(path)).toBe(false);
      expect(await failureOf(whole(files.read(path)))).toMatchObject({ code: 'CONTENT_NOT_FOUND' });
    }
    await files.close();
  });

  it('takes the last of two entries with one name, as unpacking would', async () => {
    const files = await open({ path: 'a', content: 'old' }, { path: './a', content: 'new' });
    expect(String(await whole(files.read('a')))).toBe('new');
    await files.close();
  });

  it('stops when asked to', async () => {
    const files = await open({ path: 'a', content: 'x' });
    const stopped = whole(files.read('a', { signal: AbortSignal.abort() }));
    expect(await failureOf(stopped)).toMatchObject({ name: 'AbortError' });
    await files.close();
  });
});
