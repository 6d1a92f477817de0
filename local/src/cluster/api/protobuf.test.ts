import { describe, expect, it } from 'vitest';

import { decodeProtobuf } from './protobuf.ts';

function field(number: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}

function integer(number: number, value: number): Buffer {
  return Buffer.from([number << 3, value]);
}

function envelope(apiVersion: string, kind: string, ...body: Buffer[]): Buffer {
  const meta = Buffer.concat([field(1, apiVersion), field(2, kind)]);
  return Buffer.concat([Buffer.from('k8s\0'), field(1, meta), field(2, Buffer.concat(body))]);
}

describe('decodeProtobuf()', () => {
  it('reads a Secret, without what was not said', () => {
    const metadata = Buffer.concat([
      field(1, 'name'),
      field(2, ''),
      integer(7, 0),
      field(8, ''),
      field(11, Buffer.concat([field(1, 'a'), field(2, 'b')])),
    ]);
    const data = Buffer.concat([field(1, 'key'), field(2, Buffer.from([0, 255]))]);
    const bytes = envelope('v1', 'Secret', field(1, metadata), field(2, data), integer(5, 0));
    expect(decodeProtobuf(bytes)).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'name', labels: { a: 'b' } },
      data: { key: 'AP8=' },
      immutable: false,
    });
  });

  it('reads integers that mean zero, and numbers or names of ports', () => {
    const named = field(4, Buffer.concat([integer(1, 1), integer(2, 0), field(3, 'http')]));
    const numbered = field(4, Buffer.concat([integer(1, 0), integer(2, 80), field(3, '')]));
    const ports = [named, numbered].map((target) =>
      field(1, Buffer.concat([integer(3, 80), target])),
    );
    expect(decodeProtobuf(envelope('v1', 'Service', field(2, Buffer.concat(ports))))).toMatchObject(
      {
        spec: {
          ports: [
            { port: 80, targetPort: 'http' },
            { port: 80, targetPort: 80 },
          ],
        },
      },
    );
    const scaled = envelope('apps/v1', 'Deployment', field(2, integer(1, 0)));
    expect(decodeProtobuf(scaled)).toMatchObject({ spec: { replicas: 0 } });
  });

  it.each([
    ['another kind', envelope('v1', 'Node'), 415],
    ['a field that is not known', envelope('v1', 'Secret', field(15, 'x')), 415],
    ['other bytes', Buffer.from('{}'), 400],
    ['a cut message', envelope('v1', 'Secret', field(1, 'name')).subarray(0, -2), 400],
  ])('refuses %s', (_, bytes, status) => {
    expect(() => decodeProtobuf(bytes)).toThrow(expect.objectContaining({ status }));
  });
});
