import { ReposureError } from '../errors.ts';

/** What came is no message of HTTP/1.1, or not a whole one. */
export class MessageError extends ReposureError {
  override readonly name = 'MessageError';
  readonly code = 'PROTOCOL';
}

/** The stream ended before its message did. */
export class TruncatedMessageError extends MessageError {}
