import { isDeepStrictEqual } from 'node:util';

import { isFields } from './object.ts';
import { badRequest, StatusError } from './status.ts';

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

/**
 * Applies a JSON patch.
 *
 * @param document Not changed.
 * @throws {StatusError} 400 for what is no patch, 422 for one that does not fit the document.
 * @see https://www.rfc-editor.org/rfc/rfc6902
 */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('Cannot read JSON patch: want a list of operations');
  let result: unknown = { '': structuredClone(document) };
  for (const operation of patch) {
    if (!isOperation(operation)) {
      throw badRequest('Cannot read JSON patch: want operations with op and path');
    }
    result = applied(result, operation);
  }
  return (result as { '': unknown })[''];
}

function isOperation(value: unknown): value is Operation {
  return isFields(value) && typeof value['op'] === 'string' && typeof value['path'] === 'string';
}

// The document is wrapped as { '': document }, so that the pointer '' is no special case.
function applied(root: unknown, { op, path, from = '', value }: Operation): unknown {
  const at = pointerOf(path);
  switch (op) {
    case 'add':
      add(root, at, structuredClone(value));
      return root;
    case 'remove':
      remove(root, at);
      return root;
    case 'replace':
      remove(root, at);
      add(root, at, structuredClone(value));
      return root;
    case 'move':
      add(root, at, remove(root, pointerOf(from)));
      return root;
    case 'copy':
      add(root, at, structuredClone(valueAt(root, pointerOf(from))));
      return root;
    case 'test':
      if (!isDeepStrictEqual(valueAt(root, at), value)) {
        throw unprocessable(`testing value ${path} failed`);
      }
      return root;
    default:
      throw badRequest(`Cannot read JSON patch: found operation "${op}"`);
  }
}

function unprocessable(why: string): StatusError {
  return new StatusError(
    422,
    'Invalid',
    `the server rejected our request due to an error in our request: ${why}`,
  );
}

function pointerOf(text: string): string[] {
  if (text !== '' && !text.startsWith('/')) throw badRequest(`Cannot read JSON pointer "${text}"`);
  return text.split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  let at: unknown = root;
  for (const step of path) {
    at = memberOf(at, step);
    if (at === undefined) throw unprocessable(`there is nothing at ${path.join('/')}`);
  }
  return at;
}

function memberOf(container: unknown, step: string): unknown {
  if (Array.isArray(container)) return container[Number(step)] as unknown;
  return isFields(container) && Object.hasOwn(container, step) ? container[step] : undefined;
}

function add(root: unknown, path: readonly string[], value: unknown): void {
  const parent = valueAt(root, path.slice(0, -1));
  const last = path.at(-1) ?? '';
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : Number(last);
    if (!(index >= 0 && index <= parent.length)) throw unprocessable(`no index ${last}`);
    parent.splice(index, 0, value);
  } else if (isFields(parent)) {
    Object.defineProperty(parent, last, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  } else {
    throw unprocessable(`${path.join('/')} is not in an object or list`);
  }
}

function remove(root: unknown, path: readonly string[]): unknown {
  const value = valueAt(root, path);
  const parent = valueAt(root, path.slice(0, -1));
  const last = path.at(-1) ?? '';
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else if (isFields(parent)) delete parent[last];
  return value;
}

/**
 * Applies a JSON merge patch: `null` removes, objects merge, everything else replaces.
 *
 * @param document Not changed.
 * @see https://www.rfc-editor.org/rfc/rfc7386
 */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return structuredClone(patch);
  const result = isFields(document) ? { ...document } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = applyMergePatch(result[key], value);
  }
  return result;
}
