import { buildImage, parsePacking } from '@reposure/core/build';
import type { LayerTree } from '@reposure/core/build';
import { openSink, storeImage } from '@reposure/core/content';

/**
 * Writes an image of a few hundred bytes whose one program prints a line and ends, as an OCI layout.
 *
 * No node has it: what a node was loaded with is pulled by other rules (KEP-2535).
 *
 * @returns Its digest.
 */
export async function writeTinyImage(folder: string, message: string): Promise<string> {
  const program = programOf(`${message}\n`);
  const tree: LayerTree = new Map([
    [
      'say',
      {
        type: 'File',
        mode: 0o755,
        size: program.byteLength,
        read: async function* read() {
          yield program;
        },
      },
    ],
  ]);
  const image = await buildImage(
    [
      {
        platform: { os: 'linux', architecture: 'amd64' },
        layers: [{ tree, createdBy: 'a test' }],
      },
    ],
    {
      settings: { user: '65532:65532', entrypoint: ['/say'], env: {}, labels: {} },
      annotations: {},
      created: '1970-01-01T00:00:00Z',
      packing: parsePacking(),
    },
  );
  try {
    await storeImage(image, await openSink(`oci:${folder}`));
    return image.root.digest;
  } finally {
    await image.close();
  }
}

const address = 0x40_0000n;
const headersBytes = 64 + 56;

/** A static program for Linux on amd64: write(1, message), exit(0). */
function programOf(message: string): Buffer {
  const text = Buffer.from(message);
  const code = Buffer.from(
    'b801000000' + // mov eax, 1 (write)
      'bf01000000' + // mov edi, 1
      '488d3510000000' + // lea rsi, [rip + 16]: behind the code
      'ba00000000' + // mov edx, length
      '0f05' + // syscall
      'b83c000000' + // mov eax, 60 (exit)
      '31ff' + // xor edi, edi
      '0f05', // syscall
    'hex',
  );
  code.writeUInt32LE(text.byteLength, 18);
  const size = BigInt(headersBytes + code.byteLength + text.byteLength);
  const header = Buffer.alloc(headersBytes);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(2, 16); // an executable
  header.writeUInt16LE(62, 18); // for amd64
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(address + BigInt(headersBytes), 24); // where it starts
  header.writeBigUInt64LE(64n, 32); // where the one segment is described
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  header.writeUInt32LE(1, 64); // loaded
  header.writeUInt32LE(5, 68); // read, execute
  header.writeBigUInt64LE(address, 80);
  header.writeBigUInt64LE(address, 88);
  header.writeBigUInt64LE(size, 96);
  header.writeBigUInt64LE(size, 104);
  header.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([header, code, text]);
}
