import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { newGatewayKey } from '@reposure/core/surrogate';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { keyFiles } from './key-files.ts';

const [first, second, third] = [newGatewayKey(), newGatewayKey(), newGatewayKey()];
let directory: string;
let said: string[];
const keep = (line: string): number => said.push(line);
const log = { debug: keep, info: keep, warn: keep };

beforeEach(async () => {
  said = [];
  directory = await mkdtemp(join(tmpdir(), 'reposure-keys-'));
  vi.useFakeTimers({ toFake: ['performance'] });
});

afterEach(async () => {
  vi.useRealTimers();
  await rm(directory, { recursive: true });
});

let version = 0;

/** As the kubelet does it: every name is a link through `..data`, which is replaced as a whole. */
async function mount(files: Readonly<Record<string, string>>): Promise<void> {
  const keys = join(directory, 'keys');
  const data = `..${(version += 1)}`;
  for (const use of ['read', 'write']) await mkdir(join(keys, data, use), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(keys, data, name), text);
  await symlink(data, join(keys, '..data_tmp'));
  await rename(join(keys, '..data_tmp'), join(keys, '..data'));
  for (const use of ['read', 'write']) {
    await symlink(join('..data', use), join(keys, use)).catch(() => {});
  }
}

const aSecondLater = (): unknown => vi.advanceTimersByTime(1001);

describe('keyFiles()', () => {
  it('has no key where none is mounted', async () => {
    expect(await keyFiles(directory, log)()).toEqual({ read: [], write: [] });
  });

  it('has the current key before the previous one', async () => {
    await mount({ 'read/key': first, 'write/key': `${second}\n`, 'write/previous': third });
    expect(await keyFiles(directory, log)()).toEqual({ read: [first], write: [second, third] });
  });

  it('sees another key within a second, and looks no more often', async () => {
    const keys = keyFiles(directory, log);
    await mount({ 'read/key': first });
    expect(await keys()).toEqual({ read: [first], write: [] });
    await mount({ 'read/key': second, 'read/previous': first });
    expect(await keys()).toEqual({ read: [first], write: [] });
    aSecondLater();
    expect(await keys()).toEqual({ read: [second, first], write: [] });
    await mount({});
    aSecondLater();
    expect(await keys()).toEqual({ read: [], write: [] });
  });

  it('takes no weak key, says which file it is in, and never says a key', async () => {
    await mount({ 'read/key': first, 'write/key': 'hunter2', 'write/previous': '' });
    expect(await keyFiles(directory, log)()).toEqual({ read: [first], write: [] });
    const text = said.join('\n');
    expect(text).toContain(join(directory, 'keys', 'write', 'key'));
    expect(text).not.toMatch(new RegExp(`hunter2|${first}`));
  });
});
