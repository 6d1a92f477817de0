import { isFields } from './object.ts';

type Step = (values: readonly unknown[]) => unknown[];

const step =
  /\.(?<field>(?:\\.|[^.[\\])+)|\[(?<index>-?\d+)\]|\[(?<all>\*)\]|\['(?<quoted>[^']*)'\]|\[\?\(@\.(?<key>[\w.]+)\s*==\s*(?<value>"[^"]*"|'[^']*'|[\w.]+)\)\]/y;

/**
 * Reads the part of JSONPath that printer columns use: `.a.b`, `.a\.b`, `[0]`, `[*]`, `['a.b']`,
 * `[?(@.type=="Ready")]`.
 *
 * @returns What finds the values in an object, an empty list if there are none.
 * @throws {SyntaxError} for anything else.
 * @see https://kubernetes.io/docs/reference/kubectl/jsonpath/
 */
export function parseJsonPath(path: string): (object: unknown) => unknown[] {
  const steps: Step[] = [];
  step.lastIndex = 0;
  for (let at = 0; at < path.length; at = step.lastIndex) {
    const groups = step.exec(path)?.groups;
    if (!groups) throw new SyntaxError(`Cannot read JSONPath "${path}": found "${path.slice(at)}"`);
    steps.push(stepOf(groups));
  }
  return (object) => {
    let values: unknown[] = [object];
    for (const next of steps) values = next(values);
    return values;
  };
}

function stepOf(groups: Record<string, string | undefined>): Step {
  const { field, quoted, index, key, value = '' } = groups;
  const name = field?.replaceAll(/\\(.)/g, '$1') ?? quoted;
  if (name !== undefined) {
    return (values) => values.flatMap((each) => (isFields(each) ? present(each[name]) : []));
  }
  if (index !== undefined) {
    return (values) =>
      values.flatMap((each) => (Array.isArray(each) ? present(each.at(Number(index))) : []));
  }
  if (key !== undefined) {
    const wanted = value.replaceAll(/^['"]|['"]$/g, '');
    const names = key.split('.');
    return (values) => membersOf(values).filter((each) => textAt(each, names) === wanted);
  }
  return membersOf;
}

function membersOf(values: readonly unknown[]): unknown[] {
  return values.flatMap((each) => {
    if (Array.isArray(each)) return each as unknown[];
    return isFields(each) ? Object.values(each) : [];
  });
}

function present(value: unknown): unknown[] {
  return value === undefined || value === null ? [] : [value];
}

function textAt(object: unknown, names: readonly string[]): string | undefined {
  let at = object;
  for (const name of names) at = isFields(at) ? at[name] : undefined;
  if (typeof at === 'string') return at;
  return typeof at === 'number' || typeof at === 'boolean' ? String(at) : undefined;
}
