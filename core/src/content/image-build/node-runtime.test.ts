import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { beforeEach, describe, expect, it } from 'vitest';

import { ContentInvalidError } from '../../oci/index.ts';
import { useFolder } from '../test/fixtures.ts';
import { readElf } from './elf.ts';
import { tarOfTree } from './layer-tree.ts';
import { nodeRuntime } from './node-runtime.ts';
import { resolveInRoot } from './root-path.ts';

const folder = useFolder();

function put(path: string, content: string | Buffer): void {
  mkdirSync(dirname(folder(path)), { recursive: true });
  writeFileSync(folder(path), content);
}

function link(path: string, target: string): void {
  mkdirSync(dirname(folder(path)), { recursive: true });
  symlinkSync(target, folder(path));
}

/** This test's own Node and its libraries, among what a distribution has besides. */
function makeRootfs(): void {
  const program = process.execPath;
  mkdirSync(folder('root', 'opt'), { recursive: true });
  copyFileSync(program, folder('root', 'opt', 'node'));
  // As absolute links of a root file system are: they mean that root, not this machine's.
  link('root/usr/local/bin/node', '/opt/node');
  for (const [library] of execFileSync('ldd', [program]).toString().matchAll(/\/\S+/g)) {
    mkdirSync(dirname(folder('root', library)), { recursive: true });
    copyFileSync(library, folder('root', `${library}.real`));
    link(`root${library}`, `${library}.real`);
  }
  put('root/bin/sh', 'a shell');
  put('root/usr/share/doc/node/README', 'documents');
  put('root/usr/local/lib/node_modules/npm/index.js', 'npm');
  put('root/etc/ssl/certs/ca-certificates.crt', 'certificates');
  put('root/etc/passwd', 'root:x:0:0::/root:/bin/sh\n');
}

/** Unpacks what was taken, as a runtime would. */
async function unpackRuntime(): Promise<void> {
  const { tree } = await nodeRuntime(folder('root'));
  const tar = await Array.fromAsync(tarOfTree(tree), (chunk) => Buffer.from(chunk));
  mkdirSync(folder('taken'));
  execFileSync('tar', ['-xpf', '-', '-C', folder('taken')], { input: Buffer.concat(tar) });
}

describe.skipIf(process.platform !== 'linux')('nodeRuntime()', () => {
  beforeEach(makeRootfs);

  it('takes what Node runs with, and nothing else', async () => {
    await unpackRuntime();
    const { interpreter = '' } = await readElf(folder('root', 'opt', 'node'));
    const report = 'JSON.stringify(process.report.getReport().sharedObjects)';
    const libraries = execFileSync('find', [folder('taken'), '-name', '*.so*', '-printf', '%h:']);
    const printed = execFileSync(folder('taken', interpreter), [
      '--library-path',
      libraries.toString(),
      folder('taken', 'usr', 'local', 'bin', 'node'),
      '--print',
      report,
    ]);
    const loaded = (JSON.parse(printed.toString()) as string[]).filter((path) =>
      path.includes('.so'),
    );
    expect(loaded.length).toBeGreaterThan(3);
    expect(loaded.filter((path) => !path.startsWith(folder()) && !path.includes('vdso'))).toEqual(
      [],
    );
    const files = execFileSync('find', ['.', '!', '-type', 'd'], { cwd: folder('taken') });
    const others = files
      .toString()
      .trim()
      .split('\n')
      .filter((path) => !path.includes('.so'));
    expect(others.toSorted()).toEqual([
      './etc/group',
      './etc/nsswitch.conf',
      './etc/passwd',
      './etc/ssl/certs/ca-certificates.crt',
      './usr/local/bin/node',
    ]);
    const modes = execFileSync('stat', ['-c', '%a', 'tmp', 'usr/local/bin/node'], {
      cwd: folder('taken'),
    });
    expect(modes.toString()).toBe('1777\n755\n');
  });

  it('leaves symbols and debug information out', async () => {
    const { tree, platform } = await nodeRuntime(folder('root'));
    const { loadedBytes, architecture } = await readElf(process.execPath);
    expect(tree.get('usr/local/bin/node')).toMatchObject({ size: loadedBytes });
    expect(platform).toEqual({ os: 'linux', architecture });
  });

  it.each([
    ['no Node', '/opt/node', /there is no usr\/local\/bin\/node in it; want a root file system/],
    ['a library missing', 'libstdc', /Node wants libstdc\+\+\.so\.6, which is not there/],
  ])('refuses a folder with %s', async (_, name, message) => {
    execFileSync('find', [folder('root'), '-path', `*${name}*`, '-delete']);
    const failure = await nodeRuntime(folder('root')).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ['a script', Buffer.from('#!/bin/sh\n')],
    ['an ELF header and nothing behind it', Buffer.from(`7f454c460201${'ff'.repeat(58)}`, 'hex')],
  ])('refuses %s in place of Node', async (_, bytes) => {
    rmSync(folder('root', 'opt', 'node'));
    put('root/opt/node', bytes);
    await expect(nodeRuntime(folder('root'))).rejects.toThrow(ContentInvalidError);
  });
});

describe('resolveInRoot()', () => {
  it.each([
    ['/a/b', 'a/b'],
    ['up/b', 'a/b'],
    ['absolute', 'a/b'],
    ['out', 'a/b'],
    ['loop', undefined],
    ['a/none', undefined],
  ])('finds %s', async (path, found) => {
    put('a/b', '');
    link('up', 'a/../a');
    link('absolute', '/a/b');
    // In a container, nothing is above the root.
    link('out', '../../../../a/b');
    link('loop', 'loop');
    expect(await resolveInRoot(folder(), path)).toBe(found && join(folder(), found));
  });
});
