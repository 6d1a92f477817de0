import { validateHeaderName, validateHeaderValue } from '../node-http.ts';
import { MessageError } from './message-error.ts';
import type { MessageReader } from './message-reader.ts';

/** Names in lower case; what came several times is joined with `, `. */
export type Headers = Readonly<Record<string, string>>;

/** As {@link Headers}; each of several values is sent on a line of its own. */
export type SentHeaders = Readonly<Record<string, string | readonly string[]>>;

/** The head of a request. */
export interface RequestHead {
  readonly method: string;
  /** In origin form; in absolute form where a proxy is asked. */
  readonly target: string;
  readonly headers: Headers;
}

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: Headers;
  /** Whether the connection may carry another message, as far as the head tells. */
  readonly isPersistent: boolean;
}

/** Each is a sign of life, so that no limit of silence ends them. */
const maxInterimAnswers = 16;
const maxHeadBytes = 64 * 1024;

const requestLine = /^([A-Z]+) (\/[!-~]*) HTTP\/1\.1$/;
const writtenLine = /^[A-Z]+ (?:http:\/\/[!-.0-~]+)?\/[!-~]* HTTP\/1\.1$/;
const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/;
const headerLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t -~\x80-\xff]*)$/;

/**
 * Writes the head of a request.
 *
 * @throws {TypeError} for a target or a header that would be read as something else.
 */
export function formatRequest({
  method,
  target,
  headers,
}: Pick<RequestHead, 'method' | 'target'> & { readonly headers: SentHeaders }): Buffer {
  const first = `${method} ${target} HTTP/1.1`;
  if (!writtenLine.test(first)) {
    throw new TypeError(`Cannot ask for this: ${JSON.stringify(first)}`);
  }
  const lines = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value) => headerLineOf(name, value)),
  );
  return Buffer.from([first, ...lines, '', ''].join('\r\n'), 'latin1');
}

/**
 * Reads the head of a request.
 *
 * @throws {MessageError} if it is none of HTTP/1.1.
 */
export async function readRequestHead(reader: MessageReader): Promise<RequestHead> {
  const [first = '', ...lines] = (await reader.until('\r\n\r\n', maxHeadBytes)).split('\r\n');
  const [, method, target] = requestLine.exec(first) ?? [];
  if (!method || !target) throw new MessageError('Cannot read a request: want one of HTTP/1.1');
  return { method, target, headers: headersOf(lines) };
}

/**
 * Reads the head of an answer, after those that only say that it will come.
 *
 * @throws {MessageError} if it is none of HTTP/1.1, nor of HTTP/1.0.
 */
export async function readAnswerHead(reader: MessageReader): Promise<AnswerHead> {
  for (let interim = 0; interim <= maxInterimAnswers; interim++) {
    const [first = '', ...lines] = (await reader.until('\r\n\r\n', maxHeadBytes)).split('\r\n');
    const [, minor, status = ''] = statusLine.exec(first) ?? [];
    if (!minor) throw new MessageError('Cannot read an answer: want one of HTTP/1.1');
    const headers = headersOf(lines);
    if (Number(status) < 200) continue;
    const isPersistent = minor === '1' && !/\bclose\b/i.test(headers['connection'] ?? '');
    return { status: Number(status), headers, isPersistent };
  }
  throw new MessageError('Cannot read an answer: it only says again and again that it will come');
}

function headerLineOf(name: string, value: string): string {
  validateHeaderName(name);
  validateHeaderValue(name, value);
  return `${name}: ${value}`;
}

function headersOf(lines: readonly string[]): Headers {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value = ''] = headerLine.exec(line) ?? [];
    if (!name) throw new MessageError('Cannot read a message: want headers of HTTP/1.1');
    const before = headers.get(name.toLowerCase());
    const whole = before === undefined ? value.trim() : `${before}, ${value.trim()}`;
    headers.set(name.toLowerCase(), whole);
  }
  return Object.fromEntries(headers);
}
