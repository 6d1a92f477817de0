import { describe, expect, it } from 'vitest';

import { overwriting } from '../../../test/support/overwriting.ts';
import { collect } from '../bytes.ts';
import { chunkOf, endOfChunks, framingOf, readBody } from './body.ts';
import type { Framing } from './body.ts';
import { formatRequest, readAnswerHead, readRequestHead } from './head.ts';
import { MessageError } from './message-error.ts';
import { MessageReader } from './message-reader.ts';

/** A message in pieces of so many bytes, all in the same memory. */
function readerOf(text: string, pieceBytes = 7): MessageReader {
  const bytes = Buffer.from(text, 'latin1');
  return new MessageReader(overwriting(bytes, pieceBytes));
}

const bodyOf = async (text: string, framing: Framing, pieceBytes?: number): Promise<string> =>
  (await collect(readBody(readerOf(text, pieceBytes), framing), 'it', 1e6)).toString('latin1');

describe('the head of a message', () => {
  it.each([1, 2, 3, 1000])(
    'is read from pieces of %i bytes as it was written',
    async (pieceBytes) => {
      const head = {
        method: 'PUT',
        target: '/v2/a/blobs/uploads/1?digest=sha256:1&x=%20',
        headers: { host: 'surrogate', 'content-length': '5', 'x-empty': '', 'x-text': 'a: b\tc é' },
      };
      const reader = readerOf(`${formatRequest(head).toString('latin1')}hello`, pieceBytes);
      expect(await readRequestHead(reader)).toEqual(head);
      expect(String(await collect(readBody(reader, 5), 'it', 10))).toBe('hello');
    },
  );

  it('is that of the answer itself, and not of one that only says that it will come', async () => {
    const text =
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nLink: a\r\nlink:  b \r\nX-Y:z\r\n\r\n';
    const headers = { link: 'a, b', 'x-y': 'z' };
    expect(await readAnswerHead(readerOf(text))).toMatchObject({ status: 201, headers });
  });

  it.each([
    ['GET /v2/ HTTP/1.0\r\n\r\n'],
    ['GET v2 HTTP/1.1\r\n\r\n'],
    ['GET /v2/ x HTTP/1.1\r\n\r\n'],
    ['get /v2/ HTTP/1.1\r\n\r\n'],
    ['GET /v2/ HTTP/1.1\r\nno colon\r\n\r\n'],
    ['GET /v2/ HTTP/1.1\r\nname : x\r\n\r\n'],
    ['GET /v2/ HTTP/1.1\r\na: b\r\n folded\r\n\r\n'],
    ['GET /v2/ HTTP/1.1\r\na: b\nc: d\r\n\r\n'],
    ['GET /v2/ HTTP/1.1\r\na: b\0\r\n\r\n'],
    ['GET /v2/ HTTP/1.1\r\na: b\r\n'],
    [`GET /v2/ HTTP/1.1\r\na: ${'b'.repeat(70_000)}`],
  ])('is refused if it is %j', async (text) => {
    await expect(readRequestHead(readerOf(text, 1000))).rejects.toThrow(MessageError);
  });

  it.each(['HTTP/1.1 099 No\r\n\r\n', 'HTTP/2 200 OK\r\n\r\n', 'hello\r\n\r\n'])(
    'is no answer if it is %j',
    async (text) => {
      await expect(readAnswerHead(readerOf(text))).rejects.toThrow(MessageError);
    },
  );

  it.each([
    ['a target with a line of its own', { target: '/v2/\r\nx: y', headers: {} }],
    ['a target with a space', { target: '/v2/a b', headers: {} }],
    ['a value with a line of its own', { target: '/v2/', headers: { a: 'b\r\nc: d' } }],
    ['a name with a space', { target: '/v2/', headers: { 'a b': 'c' } }],
  ])('is not written with %s', (_, given) => {
    expect(() => formatRequest({ method: 'GET', ...given })).toThrow(TypeError);
  });
});

describe('the body of a message', () => {
  const chunks = ['one', '', 'three'.repeat(100)];
  const written = [...chunks.flatMap((text) => chunkOf(Buffer.from(text))), endOfChunks()];
  const onWire = Buffer.concat(written).toString('latin1');

  it.each([1, 3, 5000])('is read from chunks in pieces of %i bytes', async (pieceBytes) => {
    expect(await bodyOf(onWire, 'chunked', pieceBytes)).toBe(chunks.join(''));
    const dressed = '3;a=b\r\nabc\r\n00a\r\n0123456789\r\n0\r\ntrailer: x\r\n\r\n';
    expect(await bodyOf(dressed, 'chunked', pieceBytes)).toBe('abc0123456789');
  });

  it('is never whole when it was cut, wherever that was', async () => {
    for (let at = 0; at < onWire.length; at++) {
      await expect(bodyOf(onWire.slice(0, at), 'chunked')).rejects.toThrow(MessageError);
    }
    await expect(bodyOf('1234', 5)).rejects.toThrow(/1 bytes are missing/);
    expect([await bodyOf('12345', 5), await bodyOf('12345', 'to the end')]).toEqual([
      '12345',
      '12345',
    ]);
  });

  it.each(['x\r\n', '-1\r\n\r\n', '3\r\nabcd\r\n', '1000000000000\r\n', '\r\n', '3 3\r\nabc\r\n'])(
    'is refused if a chunk is %j',
    async (text) => {
      await expect(bodyOf(text, 'chunked')).rejects.toThrow(MessageError);
    },
  );

  it('has one length, or none', () => {
    const otherwise = 'to the end';
    expect(framingOf({}, otherwise)).toBe(otherwise);
    expect(framingOf({ 'content-length': '12' }, otherwise)).toBe(12);
    expect(framingOf({ 'transfer-encoding': 'Chunked' }, otherwise)).toBe('chunked');
    for (const headers of [
      { 'content-length': '12', 'transfer-encoding': 'chunked' },
      { 'content-length': '1, 2' },
      { 'content-length': '-1' },
      { 'content-length': '' },
      { 'transfer-encoding': 'gzip' },
      { 'transfer-encoding': 'gzip, chunked' },
    ]) {
      expect(() => framingOf(headers, otherwise)).toThrow(MessageError);
    }
  });
});
