import type { ByteStream } from '../bytes.ts';
import type { Source } from '../content/index.ts';

/** The same source, and how many bytes were read from it so far. */
export function countingReads(source: Source): {
  readonly counted: Source;
  readonly readBytes: () => number;
} {
  let bytes = 0;
  async function* count(content: ByteStream): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of content) {
      bytes += chunk.byteLength;
      yield chunk;
    }
  }
  const counted: Source = {
    root: source.root,
    description: source.description,
    names: source.names,
    read: (descriptor, options) => count(source.read(descriptor, options)),
    close: () => source.close(),
  };
  return { counted, readBytes: () => bytes };
}
