import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** One file of a volume. */
export interface VolumeFile {
  readonly bytes: Uint8Array;
  readonly mode: number;
}

const current = '..data';

/**
 * Makes a folder hold exactly these files, all at once for whoever reads: each visible name is a
 * link through `..data`, which is renamed to another version.
 *
 * @param files By path inside of the folder; nothing is done where they are there already.
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/volume/util/atomic_writer.go
 */
export function writeAtomically(folder: string, files: ReadonlyMap<string, VolumeFile>): void {
  if (holds(join(folder, current), files)) return;
  const version = `..${Date.now()}.${randomBytes(4).toString('hex')}`;
  mkdirSync(join(folder, version), { recursive: true });
  for (const [path, { bytes, mode }] of files) {
    const file = join(folder, version, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes, { mode: 0o600 });
    chmodSync(file, mode);
  }
  const before = existsSync(join(folder, current)) ? readlinkSync(join(folder, current)) : '';
  symlinkSync(version, join(folder, `${current}_tmp`));
  renameSync(join(folder, `${current}_tmp`), join(folder, current));
  linkNames(folder, files);
  if (before) rmSync(join(folder, before), { recursive: true, force: true });
}

function linkNames(folder: string, files: ReadonlyMap<string, VolumeFile>): void {
  const wanted = new Set([...files.keys()].map((path) => path.split('/')[0] ?? path));
  const there = readdirSync(folder).filter((name) => !name.startsWith('..'));
  for (const name of there) if (!wanted.has(name)) rmSync(join(folder, name));
  for (const name of wanted) {
    if (!there.includes(name)) symlinkSync(join(current, name), join(folder, name));
  }
}

function holds(folder: string, files: ReadonlyMap<string, VolumeFile>): boolean {
  if (!existsSync(folder)) return false;
  const there = readdirSync(folder, { recursive: true, withFileTypes: true });
  if (there.filter((entry) => entry.isFile()).length !== files.size) return false;
  return [...files].every(([path, file]) => isSame(join(folder, path), file));
}

function isSame(path: string, { bytes, mode }: VolumeFile): boolean {
  if (!existsSync(path)) return false;
  const isSameMode = (statSync(path).mode & 0o777) === mode;
  return isSameMode && readFileSync(path).equals(bytes);
}
