import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';

/** As much as a pipe holds. */
const bufferBytes = 64 * 1024;

/**
 * Standard input, where it is a pipe or a socket read into the same memory again and again: a chunk is
 * valid for the length of its `data` event. Node's own takes 64 KiB anew for whatever comes, and a
 * container runtime writes 32 KiB at a time: letting go of them is most of what reading costs.
 */
export function openStandardInput(): Readable {
  const kind = fstatSync(0);
  if (!kind.isFIFO() && !kind.isSocket()) return process.stdin;
  const buffer = Buffer.allocUnsafeSlow(bufferBytes);
  const callback = (length: number): boolean => {
    socket.emit('data', buffer.subarray(0, length));
    return !socket.isPaused();
  };
  const socket: Socket = new Socket({
    fd: 0,
    readable: true,
    writable: false,
    onread: { buffer, callback },
  });
  return socket;
}
