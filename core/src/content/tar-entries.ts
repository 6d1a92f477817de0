import { Header } from 'tar/header';

import { ContentInvalidError } from '../oci/index.ts';
import { truncated } from './cursor.ts';
import type { Cursor } from './cursor.ts';
import { parsePaxRecords } from './tar-records.ts';

/** What an entry makes; `other` is a device or a pipe. */
type TarEntryType = 'file' | 'folder' | 'symlink' | 'hardlink' | 'other';

/** One entry of a tar, as it is written there: nothing is normalised, nothing is to be trusted. */
export interface TarEntry {
  readonly type: TarEntryType;
  readonly path: string;
  /** Target of a link, else empty. */
  readonly linkPath: string;
  /** Permissions with setuid, setgid and sticky: 12 bits. */
  readonly mode: number;
  /** Bytes of content. */
  readonly size: number;
  /** Where the content begins. */
  readonly offset: number;
}

/** Size of a header, and what contents are padded to. */
export const blockBytes = 512;

/** Names and pax records are small; more is an attack on memory. */
const maxExtensionBytes = 1024 * 1024;

/** Links, devices, folders and pipes have no content, whatever their size field says. */
const headerOnly: ReadonlySet<string> = new Set(['1', '2', '3', '4', '5', '6']);

/** What came in front of an entry and is about it. */
interface Extension {
  pax: ReadonlyMap<string, string>;
  path?: string;
  linkPath?: string;
}

/**
 * Reads a tar from header to header. Between two entries, the caller may read the content from
 * the cursor, all or part of it.
 *
 * Where implementations of tar disagree it goes with Go's, which is what container runtimes use:
 * another reading would let one file hide from the other tool.
 *
 * @returns Whether the end mark was there.
 * @throws {ContentInvalidError} if it is truncated, corrupt or sparse.
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06
 */
export async function* readTarEntries(cursor: Cursor): AsyncGenerator<TarEntry, boolean> {
  let extension: Extension = { pax: new Map() };
  for (;;) {
    const header = await nextHeader(cursor);
    if (typeof header === 'boolean') return header;
    if (isExtension(header)) {
      extension = await extended(cursor, header, extension);
      continue;
    }
    const entry = entryOf(cursor, header, extension);
    const end = cursor.position + entry.size;
    yield entry;
    await cursor.skip(end - cursor.position);
    // Forgiving at the very end: some writers leave the last padding out.
    await cursor.take(paddingLength(entry.size));
    extension = { pax: new Map() };
  }
}

/** How many bytes pad content of this size to whole blocks. */
export function paddingLength(size: number): number {
  return (blockBytes - (size % blockBytes)) % blockBytes;
}

/** Whether a block is the header of a tar entry, by its checksum. */
export function isTarHeader(block: Buffer): boolean {
  if (block.length < blockBytes) return false;
  return decoded(block)?.cksumValid ?? false;
}

async function nextHeader(cursor: Cursor): Promise<Header | boolean> {
  const block = await cursor.take(blockBytes);
  if (block.length === 0) return false;
  if (block.every((byte) => byte === 0)) return block.length === blockBytes;
  if (block.length < blockBytes) throw truncated(cursor, blockBytes - block.length);
  const header = decoded(block);
  if (!header?.cksumValid) throw corrupt(cursor, 'a header has a wrong checksum');
  // `tar` takes a file named like a folder for one, and drops its content unread; others do not.
  const isCoerced = header.typeKey === '5' && block[156] !== 0x35;
  if (isCoerced && /[1-9]/.test(block.toString('latin1', 124, 135)))
    throw folderWithContent(cursor);
  return header;
}

function decoded(block: Buffer): Header | undefined {
  try {
    return new Header(block);
  } catch {
    // A size that no number can hold.
    return undefined;
  }
}

function isExtension(header: Header): boolean {
  return ['x', 'g', 'L', 'K'].includes(header.typeKey);
}

async function extended(cursor: Cursor, header: Header, earlier: Extension): Promise<Extension> {
  const size = header.size ?? 0;
  if (size > maxExtensionBytes) throw corrupt(cursor, `a name or record has ${size} bytes`);
  const bytes = Buffer.from(await cursor.take(size));
  if (bytes.length < size) throw truncated(cursor, size - bytes.length);
  await cursor.take(paddingLength(size));
  const key: string = header.typeKey;
  switch (key) {
    case 'x': {
      const pax = parsePaxRecords(bytes);
      if (!pax) throw corrupt(cursor, 'a pax record is malformed');
      return { ...earlier, pax };
    }
    case 'L':
      return { ...earlier, path: untilNul(bytes) };
    case 'K':
      return { ...earlier, linkPath: untilNul(bytes) };
    default:
      // A global header: nothing that it may say is used here.
      return earlier;
  }
}

function untilNul(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

function entryOf(cursor: Cursor, header: Header, { pax, path, linkPath }: Extension): TarEntry {
  if (isSparse(header, pax))
    throw corrupt(cursor, 'it has a sparse file, which layers do not have');
  const name = path ?? pax.get('path') ?? header.path ?? '';
  const type = typeOf(header, name);
  const size = headerOnly.has(header.typeKey) ? 0 : sizeOf(cursor, header, pax);
  if (type === 'folder' && size > 0) throw folderWithContent(cursor);
  return {
    type,
    path: name,
    linkPath: linkPath ?? pax.get('linkpath') ?? header.linkpath ?? '',
    mode: (header.mode ?? 0o644) & 0o7777,
    size,
    offset: cursor.position,
  };
}

function isSparse({ typeKey }: Header, pax: ReadonlyMap<string, string>): boolean {
  return typeKey === 'S' || [...pax.keys()].some((key) => key.startsWith('GNU.sparse'));
}

function typeOf(header: Header, path: string): TarEntryType {
  const key: string = header.typeKey;
  switch (key) {
    case '0':
    case '7':
      return path.endsWith('/') ? 'folder' : 'file';
    case '1':
      return 'hardlink';
    case '2':
      return 'symlink';
    case '5':
      return 'folder';
    default:
      return 'other';
  }
}

function sizeOf(cursor: Cursor, header: Header, pax: ReadonlyMap<string, string>): number {
  const told = pax.get('size');
  const size = told === undefined ? header.size : Number(told);
  if (size === undefined || !Number.isSafeInteger(size) || size < 0) {
    throw corrupt(cursor, 'an entry has no valid size');
  }
  return size;
}

function folderWithContent(cursor: Cursor): ContentInvalidError {
  return corrupt(cursor, 'a folder has content');
}

function corrupt({ what, position }: Cursor, state: string): ContentInvalidError {
  return new ContentInvalidError(
    `Cannot read ${what}: ${state} (before byte ${position}); want a tar archive that is not corrupt`,
  );
}
