/**
 * Bytes in chunks that all lie in the same memory: it is spoilt as soon as the next one is asked for, so
 * that who still holds a chunk holds other bytes.
 */
export async function* overwriting(
  bytes: Uint8Array,
  chunkBytes: number,
): AsyncGenerator<Buffer, void> {
  const memory = Buffer.alloc(chunkBytes);
  for (let at = 0; at < bytes.byteLength; at += chunkBytes) {
    const part = bytes.subarray(at, at + chunkBytes);
    memory.set(part);
    yield memory.subarray(0, part.byteLength);
    memory.fill(0xee);
  }
}
