import { builtInColumns } from './built-in-columns.ts';
import { ageColumn, customColumns, nameColumn } from './columns.ts';
import type { Column } from './columns.ts';
import type { CustomVersion } from './crd.ts';
import type { Fields, StoredObject } from './object.ts';
import { storedAs } from './resources.ts';
import type { ApiResource } from './resources.ts';

/** The columns of a type. */
export function columnsOf(type: ApiResource, custom: CustomVersion | undefined): readonly Column[] {
  if (custom) return customColumns(custom.columns);
  return builtInColumns[storedAs(type)] ?? [nameColumn, ageColumn];
}

/** How a table is made. */
export interface TableOptions {
  readonly resourceVersion: string;
  /** What each row carries of its object: `Metadata` by default, `Object`, `None`. */
  readonly includeObject: string;
  /** Left out in all but the first event of a watch. */
  readonly withoutColumns?: boolean;
}

/** Objects as the table that `kubectl get` prints. @see https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables */
export function tableOf(
  columns: readonly Column[],
  objects: readonly StoredObject[],
  options: TableOptions,
): Fields {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: options.resourceVersion },
    columnDefinitions: options.withoutColumns ? null : columns.map(definitionOf),
    rows: objects.map((object) => ({
      cells: columns.map(({ cell }) => cell(object)),
      object: rowObjectOf(object, options.includeObject),
    })),
  };
}

function definitionOf({ cell: _cell, ...definition }: Column): Fields {
  return { format: '', description: definition.name, ...definition };
}

function rowObjectOf(object: StoredObject, include: string): Fields | null {
  if (include === 'None') return null;
  return include === 'Object' ? object : partialOf(object);
}

/** Only the metadata of an object. */
export function partialOf({ metadata }: StoredObject): Fields {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}
