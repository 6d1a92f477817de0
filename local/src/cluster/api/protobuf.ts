import type { Fields } from './object.ts';
import { fieldsOf, textOf } from './object.ts';
import { messageSchema } from './protobuf-schema.ts';
import type { FieldSchema } from './protobuf-schema.ts';
import { StatusError } from './status.ts';

/** The media type in which newer clients send built-in objects. */
export const protobufType = 'application/vnd.kubernetes.protobuf';

const magic = Buffer.from('k8s\0');

interface WireField {
  readonly number: number;
  /** A number for a varint, bytes for everything with a length. */
  readonly value: number | Buffer;
}

/**
 * Reads an object in the protobuf encoding of Kubernetes: `kubectl create`, from 1.33 on, knows no other.
 *
 * @throws {StatusError} 400 for broken bytes, 415 for a kind or field that is not known here.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 */
export function decodeProtobuf(bytes: Buffer): Fields {
  if (!bytes.subarray(0, magic.length).equals(magic)) throw broken();
  const envelope = new Map(
    wireFields(bytes.subarray(magic.length)).map((f) => [f.number, f.value]),
  );
  const meta = new Map(wireFields(bytesOf(envelope.get(1))).map((f) => [f.number, f.value]));
  const kind = bytesOf(meta.get(2)).toString();
  const body = decodeMessage(kind, bytesOf(envelope.get(2)));
  return { apiVersion: bytesOf(meta.get(1)).toString(), kind, ...body };
}

function broken(): StatusError {
  return new StatusError(400, 'BadRequest', 'Cannot read the body as protobuf: it is broken');
}

function unknown(what: string): StatusError {
  return new StatusError(
    415,
    'UnsupportedMediaType',
    `Cannot read the body as protobuf: ${what} is not known here; want JSON (with kubectl: a manifest and apply)`,
  );
}

function bytesOf(value: number | Buffer | undefined): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
}

function wireFields(bytes: Buffer): WireField[] {
  const fields: WireField[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 63n) throw broken();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const number = tag >>> 3;
    if ((tag & 7) === 0) {
      fields.push({ number, value: Number(BigInt.asIntN(64, varint())) });
    } else if ((tag & 7) === 2) {
      const end = Number(varint()) + at;
      if (end > bytes.length) throw broken();
      fields.push({ number, value: bytes.subarray(at, end) });
      at = end;
    } else {
      throw unknown(`wire type ${tag & 7}`);
    }
  }
  return fields;
}

function decodeMessage(name: string, bytes: Buffer): Fields {
  const schema = messageSchema(name);
  if (!schema) throw unknown(name || 'an object without a kind');
  const result: Fields = {};
  for (const { number, value } of wireFields(bytes)) {
    const field = schema.get(number);
    if (field) addField(result, field, value);
    else if (typeof value === 'number' || value.length > 0) {
      throw unknown(`field ${number} of ${name}`);
    }
  }
  return result;
}

function addField(result: Fields, field: FieldSchema, value: number | Buffer): void {
  const { name, type, isList, isOptional } = field;
  if (type === '-') return;
  if (type === 'm' || type === 'd') {
    const [key, inner] = entryOf(bytesOf(value));
    const text = type === 'm' ? inner.toString() : inner.toString('base64');
    result[name] = { ...fieldsOf(result[name]), [key]: text };
    return;
  }
  const decoded = decodeValue(type, value);
  if (name === '') Object.assign(result, decoded);
  else if (isList) result[name] = [...((result[name] as unknown[] | undefined) ?? []), decoded];
  else if (isOptional || !isZero(decoded)) result[name] = decoded;
}

function isZero(value: unknown): boolean {
  return value === undefined || value === '' || value === 0 || value === false;
}

function entryOf(bytes: Buffer): [string, Buffer] {
  const parts = new Map(wireFields(bytes).map((field) => [field.number, field.value]));
  return [bytesOf(parts.get(1)).toString(), bytesOf(parts.get(2))];
}

function decodeValue(type: string, value: number | Buffer): unknown {
  if (type === 'i') return Number(value);
  if (type === 'b') return value === 1;
  const bytes = bytesOf(value);
  if (type === 's') return bytes.toString();
  if (type === 'y') return bytes.toString('base64');
  const parts = (): Map<number, number | Buffer> =>
    new Map(wireFields(bytes).map((field) => [field.number, field.value]));
  if (type === 'Time') return timeOf(parts().get(1));
  if (type === 'Quantity') return bytesOf(parts().get(1)).toString();
  if (type === 'IntOrString') {
    const isText = parts().get(1) === 1;
    return isText ? bytesOf(parts().get(3)).toString() : (parts().get(2) ?? 0);
  }
  return decodeMessage(type, bytes);
}

function timeOf(seconds: unknown): string | undefined {
  if (typeof seconds !== 'number') return undefined;
  return textOf(new Date(seconds * 1000).toISOString()).replace(/\.\d+Z$/, 'Z');
}
