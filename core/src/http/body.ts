import type { ByteStream } from '../bytes.ts';
import type { Headers } from './head.ts';
import { MessageError, TruncatedMessageError } from './message-error.ts';
import type { MessageReader } from './message-reader.ts';

/** How the end of a body is told: by a length in bytes, by a last chunk, or by the stream's own end. */
export type Framing = number | 'chunked' | 'to the end';

const crlf = Buffer.from('\r\n');
const lastChunk = Buffer.from('0\r\n\r\n');
/** Of a chunk's size with its extensions, and of a trailer. */
const maxLineBytes = 8 * 1024;
const maxTrailers = 64;

/**
 * How long a body is, by its message's headers.
 *
 * @param otherwise What it is if they do not say.
 * @throws {MessageError} if they say it in two ways, or in one that is unknown.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-6.3
 */
export function framingOf(headers: Headers, otherwise: Framing): Framing {
  const { 'content-length': length, 'transfer-encoding': encoding } = headers;
  if (length === undefined && encoding === undefined) return otherwise;
  if (length === undefined && encoding?.toLowerCase() === 'chunked') return 'chunked';
  if (encoding === undefined && /^\d{1,15}$/.test(length ?? '')) return Number(length);
  throw new MessageError('Cannot read a message: want either one length or chunks');
}

/**
 * Reads a body; each part is valid until the next one is asked for.
 *
 * @throws {MessageError} if the stream ends before the body does.
 */
export async function* readBody(reader: MessageReader, framing: Framing): ByteStream {
  if (framing === 'chunked') yield* chunked(reader);
  else if (framing === 'to the end') yield* toTheEnd(reader);
  else yield* exactly(reader, framing);
}

/** Puts a part of a body whose length nobody knows on the wire. */
export function chunkOf(part: Uint8Array): readonly Uint8Array[] {
  // One without bytes would end the body.
  if (part.byteLength === 0) return [];
  return [Buffer.from(`${part.byteLength.toString(16)}\r\n`), part, crlf];
}

/** Ends a body of chunks. */
export function endOfChunks(): Uint8Array {
  return lastChunk;
}

async function* exactly(reader: MessageReader, length: number): ByteStream {
  for (let missing = length; missing > 0;) {
    const part = await reader.part(missing);
    if (!part) {
      throw new TruncatedMessageError(
        `Cannot read a body to its end: ${missing} bytes are missing`,
      );
    }
    missing -= part.byteLength;
    yield part;
  }
}

async function* toTheEnd(reader: MessageReader): ByteStream {
  for (let part = await reader.part(Infinity); part; part = await reader.part(Infinity)) yield part;
}

async function* chunked(reader: MessageReader): ByteStream {
  for (let size = await chunkSize(reader); size > 0; size = await chunkSize(reader)) {
    yield* exactly(reader, size);
    if ((await reader.until('\r\n', maxLineBytes)) !== '') throw noChunk();
  }
  for (let trailers = 0; (await reader.until('\r\n', maxLineBytes)) !== ''; trailers++) {
    if (trailers >= maxTrailers) throw noChunk();
  }
}

async function chunkSize(reader: MessageReader): Promise<number> {
  const [, size] =
    /^([\da-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(await reader.until('\r\n', maxLineBytes)) ?? [];
  if (size === undefined) throw noChunk();
  return Number.parseInt(size, 16);
}

function noChunk(): MessageError {
  return new MessageError('Cannot read a body to its end: want chunks of HTTP/1.1');
}
