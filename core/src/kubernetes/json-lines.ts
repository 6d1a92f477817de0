import type { ByteStream } from '../bytes.ts';
import { LimitExceededError } from '../bytes.ts';

const newline = 0x0a;
/** etcd takes objects of 1.5 MiB; in JSON they are somewhat larger. */
const maxLineBytes = 16 << 20;

/**
 * Reads JSON texts, one a line.
 *
 * Lines are cut in bytes, so that a character which two chunks share is never decoded by halves.
 *
 * @throws {LimitExceededError} if a line has more than 16 MiB.
 * @throws {SyntaxError} if a line is no JSON.
 */
export async function* jsonLines(source: ByteStream): AsyncGenerator<unknown, void> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const chunk of source) {
    let from = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      const line = Buffer.concat([...held, chunk.subarray(from, at)]).toString();
      [held, heldBytes, from] = [[], 0, at + 1];
      if (line.trim()) yield JSON.parse(line);
    }
    if (from === chunk.byteLength) continue;
    held.push(chunk.subarray(from));
    heldBytes += chunk.byteLength - from;
    if (heldBytes > maxLineBytes) {
      throw new LimitExceededError(`Cannot read a line: it has more than ${maxLineBytes} bytes`);
    }
  }
  const rest = Buffer.concat(held).toString();
  if (rest.trim()) yield JSON.parse(rest);
}
