import { ReposureError } from '../../errors.ts';

/** The kinds of frames. */
export const types = { data: 0, windowUpdate: 1, ping: 2, goAway: 3 } as const;

/** What a frame does to its stream, in any combination. */
export const flags = { syn: 1, ack: 2, fin: 4, rst: 8 } as const;

/** Why an end takes no more streams. */
export const goAwayCodes = { normal: 0, protocolError: 1, internalError: 2 } as const;

/** What each end may send on a stream before the other has granted anything. */
export const initialWindowBytes = 256 * 1024;

/** The length of every header. */
export const headerBytes = 12;

const version = 0;
const knownFlags = flags.syn | flags.ack | flags.fin | flags.rst;

/**
 * What every frame begins with; only data is followed by something, `length` bytes.
 *
 * @see https://github.com/hashicorp/yamux/blob/v0.1.2/spec.md#framing
 */
export interface Header {
  readonly type: number;
  readonly flags: number;
  /** 0 for the session. */
  readonly streamId: number;
  /** Of data, the bytes that follow; of a window update, the bytes granted; of a ping, any number. */
  readonly length: number;
}

/** The other end does not keep to the protocol. */
export class YamuxError extends ReposureError {
  override readonly name = 'YamuxError';
  readonly code = 'PROTOCOL';
}

/** Puts a header on the wire. */
export function encodeHeader({ type, flags: flagBits, streamId, length }: Header): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes);
  bytes.writeUInt8(version, 0);
  bytes.writeUInt8(type, 1);
  bytes.writeUInt16BE(flagBits, 2);
  bytes.writeUInt32BE(streamId, 4);
  bytes.writeUInt32BE(length, 8);
  return bytes;
}

/**
 * Reads a header.
 *
 * @throws {YamuxError} if it is one of another version, or has a type or a flag that there is not,
 *   or is about the session where it can only be about a stream, or the other way round.
 */
export function parseHeader(bytes: Buffer, at: number): Header {
  const header = {
    type: bytes.readUInt8(at + 1),
    flags: bytes.readUInt16BE(at + 2),
    streamId: bytes.readUInt32BE(at + 4),
    length: bytes.readUInt32BE(at + 8),
  };
  const isOfStream = header.type === types.data || header.type === types.windowUpdate;
  const isSound =
    bytes.readUInt8(at) === version &&
    header.type <= types.goAway &&
    (header.flags & ~knownFlags) === 0 &&
    isOfStream === header.streamId > 0;
  if (isSound) return header;
  const hex = bytes.toString('hex', at, at + headerBytes);
  throw new YamuxError(`Cannot read a frame with the header ${hex}: want one of yamux version 0`);
}
