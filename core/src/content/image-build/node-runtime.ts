import { stat } from 'node:fs/promises';

import { InputError, UnsupportedError } from '../../errors.ts';
import type { Platform } from '../../oci/index.ts';
import { readFileFrom } from '../file-bytes.ts';
import { readElf, strippedHeader } from './elf.ts';
import type { Elf } from './elf.ts';
import { diskFile, fileOf } from './layer-tree.ts';
import type { LayerEntry, LayerTree } from './layer-tree.ts';
import { resolveInRoot } from './root-path.ts';

/** What it takes to run Node, and what that runs on. */
export interface NodeRuntime {
  readonly tree: LayerTree;
  readonly platform: Platform;
}

/** Where the node images have it, and where we put it. */
export const nodePath = 'usr/local/bin/node';

const usualPaths = [nodePath, 'usr/bin/node'];

/** Where nobody says otherwise, Node is not root: this user, who owns nothing. */
export const nonRoot = { uid: 65_532, gid: 65_532 } as const;

/** How Debian and its descendants call the folders of libraries. */
const triplets: Readonly<Record<string, string>> = {
  amd64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
  ppc64le: 'powerpc64le-linux-gnu',
  riscv64: 'riscv64-linux-gnu',
};

/** What glibc before 2.34 loads by itself to look up hosts. */
const lookups = ['libnss_files.so.2', 'libnss_dns.so.2'];

/** What else is taken as it is, where it is there. */
const extras = ['etc/ssl/certs/ca-certificates.crt', 'etc/os-release'];

/**
 * Takes out of a root file system what Node needs and nothing else: the program without its symbols,
 * its shared libraries, the certificates of CAs; no shell, no npm, no headers, no documents.
 *
 * @param root A folder, such as an unpacked `node:24-slim`; it need not be of this machine's kind.
 * @param node Its path below `root`, where it is not one of the usual ones; `process.execPath` is the
 *   one that runs this program.
 * @throws {InputError} if there is no Node in it, or a library is missing.
 * @throws {UnsupportedError} if it is for a machine that images have no name for.
 */
export async function nodeRuntime(root: string, node?: string): Promise<NodeRuntime> {
  const program = await findNode(root, node === undefined ? usualPaths : [node]);
  const elf = await readElf(program);
  const { architecture } = elf;
  if (architecture === undefined) {
    throw new UnsupportedError(
      `Cannot build on ${root}: its Node is for another machine; want one for ${Object.keys(triplets).join(', ')}`,
    );
  }
  const tree = new Map<string, LayerEntry>(systemFiles());
  tree.set(nodePath, await stripped(program, elf));
  await addLibraries(tree, elf, { root, architecture });
  for (const path of extras) {
    const found = await resolveInRoot(root, path);
    if (found) tree.set(path, await entryOf(found));
  }
  return { tree, platform: { os: 'linux', architecture } };
}

/** What a system without a package manager still has to have. */
function systemFiles(): LayerTree {
  const { uid, gid } = nonRoot;
  return new Map<string, LayerEntry>([
    // At home where it can write, wherever the rest is read-only.
    [
      'etc/passwd',
      fileOf(
        `root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:${uid}:${gid}:nonroot:/tmp:/sbin/nologin\n`,
      ),
    ],
    ['etc/group', fileOf(`root:x:0:\nnonroot:x:${gid}:\n`)],
    // Else older versions of glibc ask DNS for localhost.
    ['etc/nsswitch.conf', fileOf('passwd: files\ngroup: files\nhosts: files dns\n')],
    ['tmp', { type: 'Directory', mode: 0o1777 }],
  ]);
}

async function findNode(root: string, paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    const found = await resolveInRoot(root, path);
    if (found) return found;
  }
  throw new InputError(
    `Cannot build on ${root}: there is no ${paths[0]} in it; want a root file system with Node, such as an unpacked node:24-slim`,
  );
}

/** A fifth of the program as it is released is symbols and debug information. */
async function stripped(path: string, { loadedBytes }: Elf): Promise<LayerEntry> {
  const header = await strippedHeader(path);
  return {
    type: 'File',
    mode: 0o755,
    size: loadedBytes,
    read: async function* read(signal) {
      yield header;
      let left = loadedBytes - header.byteLength;
      for await (const chunk of readFileFrom(path, header.byteLength, signal)) {
        yield chunk.subarray(0, left);
        left -= Math.min(left, chunk.byteLength);
        if (left === 0) return;
      }
    },
  };
}

interface Machine {
  readonly root: string;
  readonly architecture: string;
}

/** The loader and all libraries, where the loader looks for them by itself. */
async function addLibraries(
  tree: Map<string, LayerEntry>,
  program: Elf,
  machine: Machine,
): Promise<void> {
  const { interpreter } = program;
  // A static program needs none, and looks up hosts by itself.
  if (interpreter === undefined) return;
  await addFile(tree, interpreter.replace(/^\/+/, ''), machine);
  const optional = new Set(lookups);
  const pending = [...program.needed, ...lookups];
  const seen = new Set<string>();
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const found = await findLibrary(name, machine);
    if (found) {
      await addFile(tree, found.path, machine);
      pending.push(...found.elf.needed);
    } else if (!optional.has(name)) {
      throw missing(name, machine.root);
    }
  }
}

async function findLibrary(
  name: string,
  { root, architecture }: Machine,
): Promise<{ readonly path: string; readonly elf: Elf } | undefined> {
  const triplet = triplets[architecture] ?? architecture;
  const folders = [`lib/${triplet}`, `usr/lib/${triplet}`, 'lib64', 'usr/lib64', 'lib', 'usr/lib'];
  for (const folder of [...folders, 'usr/local/lib']) {
    const path = `${folder}/${name}`;
    const file = await resolveInRoot(root, path);
    // The same name may be there for two machines.
    const elf = file === undefined ? undefined : await readElf(file).catch(() => undefined);
    if (elf?.architecture === architecture) return { path, elf };
  }
  return undefined;
}

/** As the file that a link leads to: then no link is needed. */
async function addFile(
  tree: Map<string, LayerEntry>,
  path: string,
  { root }: Machine,
): Promise<void> {
  const file = await resolveInRoot(root, path);
  if (file === undefined) throw missing(path, root);
  tree.set(path, await entryOf(file));
}

async function entryOf(file: string): Promise<LayerEntry> {
  const { size, mode } = await stat(file);
  return diskFile(file, size, mode);
}

function missing(what: string, root: string): InputError {
  return new InputError(
    `Cannot build on ${root}: Node wants ${what}, which is not there; want a whole root file system`,
  );
}
