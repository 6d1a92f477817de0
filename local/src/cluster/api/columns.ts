import { ageOf } from './duration.ts';
import { parseJsonPath } from './json-path.ts';
import type { Fields, StoredObject } from './object.ts';
import { textOf } from './object.ts';

/** A column of a table. */
export interface Column {
  readonly name: string;
  /** As in OpenAPI; `date` is for the client to see, the cell is an age already. */
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description?: string;
  /** Above 0 it is shown with `-o wide` only. */
  readonly priority: number;
  readonly cell: (object: StoredObject) => unknown;
}

/** A text column. @param priority 1 for `-o wide` only */
export function column(
  name: string,
  cell: (object: StoredObject) => unknown,
  priority = 0,
): Column {
  return { name, type: 'string', priority, cell };
}

/** The column that every table begins with. */
export const nameColumn: Column = {
  ...column('Name', ({ metadata }) => metadata.name),
  format: 'name',
};

/** The column that most tables end with. */
export const ageColumn = column('Age', ({ metadata }) => ageOf(metadata.creationTimestamp));

/** What a JSONPath finds in an object, as text; several values joined by commas. */
export function at(path: string, fallback = '<none>'): (object: StoredObject) => string {
  const find = parseJsonPath(path);
  return (object) => {
    const found = find(object).map((value) =>
      typeof value === 'object' ? JSON.stringify(value) : String(value as string | number),
    );
    return found.join(',') || fallback;
  };
}

/** The columns of a custom resource, of its `additionalPrinterColumns`. */
export function customColumns(written: readonly Fields[]): Column[] {
  if (written.length === 0) return [nameColumn, ageColumn];
  return [nameColumn, ...written.map(customColumn)];
}

function customColumn(written: Fields): Column {
  const find = parseJsonPath(textOf(written['jsonPath']));
  const type = textOf(written['type'], 'string') as Column['type'];
  const description = textOf(written['description']);
  const format = textOf(written['format']);
  return {
    name: textOf(written['name']),
    type,
    ...(format ? { format } : {}),
    ...(description ? { description } : {}),
    priority: typeof written['priority'] === 'number' ? written['priority'] : 0,
    cell: (object) => cellOf(type, find(object)),
  };
}

function cellOf(type: Column['type'], values: readonly unknown[]): unknown {
  const [value] = values;
  if (type === 'date') return value === undefined ? '<unknown>' : ageOf(value);
  if (value === undefined || type !== 'string') return value ?? null;
  return typeof value === 'object' ? JSON.stringify(value) : `${value as string | number}`;
}
