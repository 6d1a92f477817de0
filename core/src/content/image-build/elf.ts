import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import { ContentInvalidError } from '../../oci/index.ts';

/** What a program or library for Linux says of itself. */
export interface Elf {
  /** As images name it; `undefined` for a machine that we know no name of. */
  readonly architecture: string | undefined;
  /** The dynamic loader, as an absolute path; none for libraries and static programs. */
  readonly interpreter: string | undefined;
  /** The shared libraries that it wants, by name. */
  readonly needed: readonly string[];
  /** Where the part that is loaded ends: behind it are symbols and debug information only. */
  readonly loadedBytes: number;
}

/** `e_machine`, of those that Node is released for and that are little-endian. */
const architectures: ReadonlyMap<number, string> = new Map([
  [21, 'ppc64le'],
  [62, 'amd64'],
  [183, 'arm64'],
  [243, 'riscv64'],
]);

/** Where the ELF header keeps what is about the sections, which nothing needs in order to run. */
const sectionFields = { offset: 0x28, count: 0x3c } as const;
const headerBytes = 64;
const segmentTypes = { load: 1, dynamic: 2, interpreter: 3 } as const;
const tags = { end: 0, needed: 1, strings: 5, stringsSize: 10 } as const;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/**
 * Reads a program or library of 64 bits, little-endian.
 *
 * @throws {ContentInvalidError} if it is anything else.
 * @see https://gabi.xinuos.com/
 */
export async function readElf(path: string): Promise<Elf> {
  const handle = await open(path);
  try {
    const header = await readPart(handle, 0, headerBytes);
    // 64 bits (2), little-endian (1).
    if (header.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') throw notElf(path);
    const segments = await segmentsOf(handle, header);
    const loaded = segments.filter(({ type }) => type === segmentTypes.load);
    const interpreter = segments.find(({ type }) => type === segmentTypes.interpreter);
    return {
      architecture: architectures.get(header.readUInt16LE(18)),
      interpreter: interpreter && (await textAt(handle, interpreter.offset, interpreter.size)),
      needed: await neededBy(handle, segments),
      loadedBytes: Math.max(...loaded.map(({ offset, size }) => offset + size)),
    };
  } catch (error) {
    if (error instanceof RangeError) throw notElf(path, error);
    throw error;
  } finally {
    await handle.close();
  }
}

/** The header of a program of which only the loaded part is kept. */
export async function strippedHeader(path: string): Promise<Buffer> {
  const handle = await open(path);
  try {
    const header = await readPart(handle, 0, headerBytes);
    header.writeBigUInt64LE(0n, sectionFields.offset);
    // How many sections there are, and which of them has their names.
    header.fill(0, sectionFields.count, headerBytes);
    return header;
  } finally {
    await handle.close();
  }
}

async function segmentsOf(handle: FileHandle, header: Buffer): Promise<Segment[]> {
  const [start, size, count] = [
    numberAt(header, 0x20),
    header.readUInt16LE(0x36),
    header.readUInt16LE(0x38),
  ];
  const table = await readPart(handle, start, size * count);
  return Array.from({ length: count }, (_, index) => {
    const at = index * size;
    return {
      type: table.readUInt32LE(at),
      offset: numberAt(table, at + 8),
      address: numberAt(table, at + 16),
      size: numberAt(table, at + 32),
    };
  });
}

async function neededBy(handle: FileHandle, segments: readonly Segment[]): Promise<string[]> {
  const dynamic = segments.find(({ type }) => type === segmentTypes.dynamic);
  if (!dynamic) return [];
  const entries = dynamicEntries(await readPart(handle, dynamic.offset, dynamic.size));
  const valueOf = (tag: number): number => entries.find((entry) => entry.tag === tag)?.value ?? 0;
  // The table is named by its address in memory.
  const address = valueOf(tags.strings);
  const home = segments.find(
    (each) =>
      each.type === segmentTypes.load &&
      address >= each.address &&
      address < each.address + each.size,
  );
  if (!home) return [];
  const offset = address - home.address + home.offset;
  const strings = await readPart(handle, offset, valueOf(tags.stringsSize));
  return entries
    .filter(({ tag }) => tag === tags.needed)
    .map(({ value }) => strings.toString('latin1', value, strings.indexOf(0, value)));
}

function dynamicEntries(table: Buffer): { readonly tag: number; readonly value: number }[] {
  const entries = [];
  for (let at = 0; at + 16 <= table.byteLength; at += 16) {
    const tag = numberAt(table, at);
    if (tag === tags.end) break;
    entries.push({ tag, value: numberAt(table, at + 8) });
  }
  return entries;
}

async function textAt(handle: FileHandle, offset: number, size: number): Promise<string> {
  return (await readPart(handle, offset, size)).toString('latin1').replace(/\0.*$/s, '');
}

async function readPart(handle: FileHandle, offset: number, size: number): Promise<Buffer> {
  // Tables of a real program are small; a made-up size must not take all memory.
  if (size > 16 * 1024 * 1024) throw new RangeError(`a table of ${size} bytes`);
  const buffer = Buffer.alloc(size);
  const { bytesRead } = await handle.read(buffer, 0, size, offset);
  if (bytesRead < size) throw new RangeError('it ends too early');
  return buffer;
}

function numberAt(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

function notElf(path: string, cause?: unknown): ContentInvalidError {
  return new ContentInvalidError(
    `Cannot read ${path}: it is not a program or library for Linux of 64 bits, little-endian`,
    { cause },
  );
}
