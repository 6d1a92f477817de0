import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { digestOf, hasherOf } from '../oci/index.ts';
import { tarHeaderOf } from './tar-headers.ts';
import { rawEntry, useFolder } from './test/fixtures.ts';

const folder = useFolder();
const mebibyte = 1024 ** 2;

/** A docker archive of layers of zeros, which lie in holes of the file. */
function sparseArchive(path: string, layerSizes: readonly number[]): void {
  const file = openSync(path, 'w');
  let at = 0;
  const put = (bytes: Uint8Array): void => {
    writeSync(file, bytes, 0, bytes.length, at);
    at += bytes.length;
  };
  for (const [index, size] of layerSizes.entries()) {
    put(tarHeaderOf({ type: 'File', path: `${index}/layer.tar`, size }));
    at += size;
  }
  const rootfs = { type: 'layers', diff_ids: layerSizes.map(digestOfZeros) };
  const config = JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs });
  put(rawEntry({ path: 'config.json', content: config }));
  const Layers = layerSizes.map((_, index) => `${index}/layer.tar`);
  const manifest = JSON.stringify([{ Config: 'config.json', RepoTags: null, Layers }]);
  put(rawEntry({ path: 'manifest.json', content: manifest }));
  ftruncateSync(file, at + 1024);
  closeSync(file);
}

function digestOfZeros(size: number): string {
  const hasher = hasherOf();
  const zeros = Buffer.alloc(mebibyte);
  for (let at = 0; at < size; at += zeros.length) hasher.update(zeros);
  return hasher.digest();
}

/** What opening and reading an archive costs a process of its own. */
function costOf(path: string, options: string): { rssBytes: number; readBytes: number } {
  const script = `
    import { readFileSync } from 'node:fs';
    import { openSource } from ${JSON.stringify(import.meta.resolve('./index.ts'))};
    const readBytes = () => Number(/rchar: (\\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))[1]);
    const before = readBytes();
    const source = await openSource(${JSON.stringify(path)}, ${options});
    const opened = readBytes() - before;
    for await (const _ of source.read(source.root));
    await source.close();
    // Not resourceUsage(): that begins with what the parent had when it forked.
    const status = readFileSync('/proc/self/status', 'utf8');
    const rssBytes = Number(/VmHWM:\\s+(\\d+) kB/.exec(status)[1]) * 1024;
    console.log(JSON.stringify({ rssBytes, readBytes: opened }));`;
  const args = ['--input-type=module', '--eval', script];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

describe.skipIf(process.platform !== 'linux')('a large docker archive', () => {
  it.each(['zstd', 'none'])(
    'goes through in 150 MB of memory: %s',
    (compression) => {
      sparseArchive(folder('large.tar'), [256 * mebibyte]);
      const { rssBytes } = costOf(folder('large.tar'), JSON.stringify({ compression }));
      expect(rssBytes).toBeLessThan(150e6);
    },
    60_000,
  );

  it('is read as far as the registry does not have it', () => {
    sparseArchive(folder('large.tar'), [64 * mebibyte, 2 * mebibyte]);
    const known = digestOfZeros(64 * mebibyte);
    const found = {
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest: digestOf('packed'),
      size: 6,
    };
    const answer = `new Map([[${JSON.stringify(known)}, ${JSON.stringify(found)}]])`;
    const findLayers = `{ findLayers: async () => ${answer} }`;
    expect(costOf(folder('large.tar'), findLayers).readBytes).toBeLessThan(4 * mebibyte);
    expect(costOf(folder('large.tar'), '{}').readBytes).toBeGreaterThan(66 * mebibyte);
  }, 60_000);
});
