import { Duplex } from 'node:stream';

import { expect, it } from 'vitest';

import { WebSocket } from './websocket.ts';

it('WebSocket makes the next message when the last one was taken', async () => {
  const taken: number[] = [];
  let take: (() => void) | undefined;
  const socket = new Duplex({
    read: () => {},
    write: (frame: Buffer, _encoding, done) => {
      taken.push(frame.byteLength);
      take = done;
    },
  });
  const webSocket = new WebSocket({ socket, head: Buffer.of(), protocol: '', masking: 'zero' });
  const block = Buffer.alloc(1 << 20);
  // Far more than fits, from a writer that does not wait.
  webSocket.send(0, Array<Buffer>(64).fill(block), () => {});
  const [full, header] = [262_208, 14];
  for (let count = 1; count <= 3; count++) {
    await expect.poll(() => taken).toEqual(Array<number>(count).fill(full + header));
    expect(socket.writableLength).toBe(full + header);
    take?.();
  }
  socket.destroy();
});
