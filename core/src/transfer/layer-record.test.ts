import { appendFile, chmod, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { silent } from '../log.ts';
import { digestOf } from '../oci/index.ts';
import { LayerRecord } from './layer-record.ts';
import type { RecordedBlob } from './layer-record.ts';

let directory: string;
let debugged: string[];

const log = { ...silent, debug: (message: string) => void debugged.push(message) };
const open = (registry = 'one'): LayerRecord => new LayerRecord({ directory, registry }, log);
const blobOf = (name: string, repository = 'team/app'): RecordedBlob => ({
  digest: digestOf(name),
  size: name.length,
  mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
  repository,
  diffId: digestOf(`tar of ${name}`),
});
const diffIdOf = (name: string): ReturnType<typeof digestOf> => digestOf(`tar of ${name}`);

async function onlyFile(): Promise<string> {
  const [name = '', ...others] = await readdir(join(directory, 'layers'));
  expect(others).toEqual([]);
  return join(directory, 'layers', name);
}

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'layer-record-')), 'state');
  debugged = [];
});
afterEach(() => rm(join(directory, '..'), { recursive: true, force: true }));

describe('LayerRecord', () => {
  it('knows in the next process what this one added, the newest first, of this registry only', async () => {
    await open().add([blobOf('a', 'team/old'), blobOf('b')]);
    await open().add([blobOf('a', 'team/new')]);
    const layers = await open().layersOf(diffIdOf('a'));
    expect(layers).toEqual([blobOf('a', 'team/new'), blobOf('a', 'team/old')]);
    expect(await open().repositoriesOf(digestOf('a'))).toEqual(['team/new', 'team/old']);
    expect(await open('other').layersOf(diffIdOf('a'))).toEqual([]);
    expect(debugged).toEqual([]);
  });

  it('is readable by its owner only', async () => {
    await open().add([blobOf('a')]);
    expect((await stat(await onlyFile())).mode & 0o777).toBe(0o600);
    for (const folder of [directory, join(directory, 'layers')]) {
      expect((await stat(folder)).mode & 0o777).toBe(0o700);
    }
  });

  it('writes nothing that it knows, but a proof that it did not have', async () => {
    const { diffId, ...unproven } = blobOf('a');
    await open().add([unproven]);
    await open().add([blobOf('a')]);
    const before = await readFile(await onlyFile(), 'utf8');
    await open().add([blobOf('a'), unproven]);
    expect(await readFile(await onlyFile(), 'utf8')).toBe(before);
    expect(await open().layersOf(diffId ?? digestOf(''))).toEqual([blobOf('a')]);
  });

  it('keeps what several add at the same time', async () => {
    const names = Array.from({ length: 50 }, (_, at) => `layer ${at}`);
    await Promise.all(names.map((name) => open().add([blobOf(name)])));
    const record = open();
    for (const name of names) expect(await record.layersOf(diffIdOf(name))).toHaveLength(1);
  });

  it('leaves out lines that are damaged, and no others', async () => {
    await open().add([blobOf('a')]);
    const path = await onlyFile();
    await appendFile(path, `{"digest":"sha256:short"}\n{"cut off`);
    await open().add([blobOf('b')]);
    const record = open();
    expect(await record.layersOf(diffIdOf('a'))).toHaveLength(1);
    expect(await record.layersOf(diffIdOf('b'))).toHaveLength(1);
    expect(debugged.filter((line) => line.includes('damaged'))).toHaveLength(4);
  });

  it('drops the oldest before it grows beyond 512 KiB', async () => {
    const names = Array.from({ length: 2500 }, (_, at) => `layer ${at}`);
    const record = open();
    for (let at = 0; at < names.length; at += 500) {
      await record.add(names.slice(at, at + 500).map((name) => blobOf(name)));
    }
    expect((await stat(await onlyFile())).size).toBeLessThan(512 * 1024);
    const later = open();
    expect(await later.layersOf(diffIdOf('layer 0'))).toEqual([]);
    expect(await later.layersOf(diffIdOf('layer 2499'))).toHaveLength(1);
    expect(debugged).toEqual([]);
  });

  it('believes no file that somebody else can write', async () => {
    await open().add([blobOf('a')]);
    await chmod(await onlyFile(), 0o622);
    expect(await open().layersOf(diffIdOf('a'))).toEqual([]);
    expect(debugged).toEqual([expect.stringContaining('can be written by others')]);
  });

  it('goes on where nothing can be written', async () => {
    await mkdir(join(directory, '..'), { recursive: true });
    await appendFile(directory, 'a file where the folder should be');
    const record = open();
    await record.add([blobOf('a')]);
    expect(await record.layersOf(diffIdOf('a'))).toHaveLength(1);
    expect(debugged.at(-1)).toContain('not remembered');
  });

  it('remembers within a transfer where there is no place to write to', async () => {
    const record = new LayerRecord(undefined);
    await record.add([blobOf('a')]);
    expect(await record.repositoriesOf(digestOf('a'))).toEqual(['team/app']);
  });
});
