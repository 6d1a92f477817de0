import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';
import * as z from 'zod';

import { imageOf, rawTar, useFolder, writeLayout } from './test/fixtures.ts';

const folder = useFolder();

/** Runs in a process of its own, which may write no file of more than 32 KiB: EFBIG stands for a full disk. */
const script = `
const [content, folder] = process.argv.slice(-2);
const { openSink, openSource, unpack } = await import(content);
const temporaryDirectory = folder + '/temporary';
const copied = async (from, to) => {
  const source = await openSource(folder + '/' + from, { temporaryDirectory });
  const sink = await openSink(to, { stdout: process.stdout, temporaryDirectory });
  try {
    const read = async (descriptor) =>
      Buffer.concat(await Array.fromAsync(source.read(descriptor)));
    const { config, layers } = JSON.parse(await read(source.root));
    for (const one of [...layers, config, source.root]) await sink.write(one, source.read(one));
    await sink.commit(source.root);
  } finally {
    await sink.abort();
    await source.close();
  }
};
const cases = {
  file: () => openSource('file:' + folder + '/big', { temporaryDirectory }),
  stdin: () => openSource('-', { stdin: [Buffer.alloc(100_000)].values(), temporaryDirectory }),
  layout: () => copied('random', 'oci:' + folder + '/out'),
  archive: () => copied('random', 'oci-archive:' + folder + '/out.tar'),
  stream: () => copied('random', '-'),
  docker: () => copied('random', 'docker-archive:' + folder + '/out.tar'),
  commit: () => copied('zeros', 'docker-archive:' + folder + '/out.tar'),
  unpack: async () => {
    const source = await openSource(folder + '/random', { temporaryDirectory });
    return unpack(source, folder + '/unpacked').finally(() => source.close());
  },
};
const said = {};
for (const [name, run] of Object.entries(cases)) {
  said[name] = await run().then(() => 'no failure', ({ code, message }) => code + ' ' + message);
}
console.log(JSON.stringify(said));
`;

describe('a full disk', () => {
  it.skipIf(process.platform === 'win32')('is said, with the place, and leaves nothing', () => {
    for (const [name, content] of [
      ['random', randomBytes(100_000)],
      ['zeros', Buffer.alloc(100_000)],
    ] as const) {
      const image = imageOf([rawTar({ path: 'a', content })]);
      writeLayout(folder(name), image.blobs, [image.root]);
    }
    writeFileSync(folder('big'), randomBytes(100_000));
    mkdirSync(folder('temporary'));
    const content = new URL('index.ts', import.meta.url).href;
    const child = spawnSync(
      'sh',
      [
        '-c',
        'ulimit -f 64; exec "$@"',
        'sh',
        process.execPath,
        '--input-type=module',
        '--eval',
        script,
        content,
        folder(),
      ],
      { encoding: 'utf8' },
    );
    expect(child.stderr).toBe('');
    const said = z.record(z.string(), z.string()).parse(JSON.parse(child.stdout));
    const place = (path: string): string =>
      `DISK_FULL Cannot write ${path}: the disk is full; free space there`;
    const ours = expect.stringMatching(
      /^DISK_FULL Cannot write .*\/temporary(?:\/reposure-tmp-[\w-]+)?: the disk is full; free space there, or set TMPDIR to another folder$/,
    );
    expect(said).toEqual({
      file: ours,
      stdin: ours,
      layout: place(folder('out')),
      archive: place(folder('out.tar')),
      stream: ours,
      docker: ours,
      commit: place(folder('out.tar')),
      unpack: place(folder('unpacked')),
    });
    expect(readdirSync(folder('temporary'))).toEqual([]);
    expect(readdirSync(folder()).toSorted()).toEqual(['big', 'random', 'temporary', 'zeros']);
  });
});
