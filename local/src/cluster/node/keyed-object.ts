import type { Store } from '../api/store.ts';
import type { KeyedObject } from './objects.ts';
import { SetupError } from './setup-error.ts';

/** Which Secret or ConfigMap is meant. */
export interface KeyedReference {
  readonly kind: 'secret' | 'configmap';
  readonly namespace: string;
  readonly name: string;
  readonly optional?: boolean | undefined;
}

/**
 * The values of a Secret or ConfigMap by key.
 *
 * @returns `undefined` for one that is not there and may be missing.
 * @throws {SetupError} if it is not there and must be.
 */
export function valuesOf(store: Store, from: KeyedReference): Map<string, Buffer> | undefined {
  const found: KeyedObject | undefined = store.peek(`${from.kind}s`, from.namespace, from.name);
  if (!found) {
    if (from.optional) return undefined;
    throw new SetupError(`${from.kind} "${from.name}" not found`);
  }
  const encoding = from.kind === 'secret' ? 'base64' : 'utf8';
  const values = new Map<string, Buffer>();
  for (const [key, text] of Object.entries(found.data ?? {})) {
    values.set(key, Buffer.from(text, encoding));
  }
  for (const [key, text] of Object.entries(found.binaryData ?? {})) {
    values.set(key, Buffer.from(text, 'base64'));
  }
  return values;
}
