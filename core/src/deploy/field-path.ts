import { InputError } from '../errors.ts';

/** A path into an object; `*` is every item of a list, or every value of a mapping. */
export type FieldPath = readonly string[];

/** A place in an object that holds a string. */
export interface StringField {
  readonly value: string;
  /** `spec.template.spec.containers[0].image` */
  readonly path: string;
  set(value: string): void;
}

/**
 * Parses a path such as `spec.steps[*].image`.
 *
 * @throws {InputError} if it is none.
 */
export function parseFieldPath(text: string): FieldPath {
  const steps = text
    .replace(/^\.?/, '.')
    .matchAll(/\.(?<field>[\w/-]+)|\[(?<item>\*|\d+|"[^"]+")\]/g);
  const matches = [...steps];
  if (
    matches.length === 0 ||
    matches.map(([step]) => step).join('') !== text.replace(/^\.?/, '.')
  ) {
    throw new InputError(
      `Cannot use path "${text}": want e.g. spec.template.spec.containers[*].image`,
    );
  }
  return matches.map(
    ({ groups }) => groups?.['field'] ?? (groups?.['item'] ?? '').replaceAll('"', ''),
  );
}

/** The strings to which a path leads. */
export function stringsAt(root: unknown, path: FieldPath, said = ''): StringField[] {
  const [step, ...rest] = path;
  if (step === undefined || typeof root !== 'object' || root === null) return [];
  const container = root as Record<string, unknown>;
  const keys =
    step === '*' ? Object.keys(container) : [step].filter((key) => Object.hasOwn(container, key));
  return keys.flatMap((key) => {
    const value = container[key];
    const place = Array.isArray(root) ? `${said}[${key}]` : `${said}${said && '.'}${key}`;
    if (rest.length > 0) return stringsAt(value, rest, place);
    if (typeof value !== 'string') return [];
    return [{ value, path: place, set: (next: string) => void (container[key] = next) }];
  });
}
