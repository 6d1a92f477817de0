import { Header } from 'tar/header';
import { Pax } from 'tar/pax';

import { blockBytes, paddingLength } from './tar-entries.ts';

/** An entry to be written. Owner is root and time is zero, so that equal content has equal bytes. */
export interface NewTarEntry {
  readonly type: 'File' | 'Directory' | 'SymbolicLink';
  readonly path: string;
  /** 12 bits; 0644 or 0755 by default. */
  readonly mode?: number;
  /** Bytes of content, 0 by default. */
  readonly size?: number;
  readonly linkPath?: string;
}

/** The header of an entry, with a pax header in front where the plain one cannot hold it. */
export function tarHeaderOf({ type, path, mode, size = 0, linkPath }: NewTarEntry): Buffer {
  const fields = {
    path: type === 'Directory' ? `${path}/` : path,
    type,
    size,
    mode: mode ?? (type === 'File' ? 0o644 : 0o755),
    uid: 0,
    gid: 0,
    mtime: new Date(0),
    ...(linkPath === undefined ? {} : { linkpath: linkPath }),
  };
  const block = Buffer.alloc(blockBytes);
  const needsPax = new Header(fields).encode(block);
  if (!needsPax) return block;
  const { path: paxPath, linkpath } = fields;
  const pax = new Pax({ path: paxPath, size, ...(linkpath === undefined ? {} : { linkpath }) });
  return Buffer.concat([pax.encode(), block]);
}

/** The zeros behind content of this size. */
export function tarPaddingOf(size: number): Buffer {
  return Buffer.alloc(paddingLength(size));
}

/** The end mark: two blocks of zeros. */
export const tarEnd: Uint8Array = Buffer.alloc(2 * blockBytes);
