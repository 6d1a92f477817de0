import { isDeepStrictEqual } from 'node:util';

import { schemaTyping } from './list-keys.ts';
import type { Typing } from './list-keys.ts';
import type { Fields, GivenObject, StoredObject, StoreEvent } from './object.ts';
import { fieldsOf, isFields, listOf, resourceOf, textOf } from './object.ts';
import type { ApiResource, ResourceTable } from './resources.ts';
import { compileSchema } from './schema.ts';
import type { StructuralSchema } from './schema.ts';
import { invalid } from './status.ts';
import type { Store } from './store.ts';
import { timestamp } from './store.ts';

/** What is known of one version of a custom resource. */
export interface CustomVersion {
  readonly schema: Fields;
  readonly structural: StructuralSchema;
  readonly typing: Typing;
  readonly hasStatus: boolean;
  readonly columns: readonly Fields[];
}

const crds = 'customresourcedefinitions.apiextensions.k8s.io';
const cleanup = 'customresourcecleanup.apiextensions.k8s.io';
const kind = 'CustomResourceDefinition.apiextensions.k8s.io';

/** Serves what CustomResourceDefinitions define, from the moment they are stored. */
export class CustomResources {
  readonly #store: Store;
  readonly #resources: ResourceTable;
  readonly #versions = new Map<string, CustomVersion>();

  constructor(store: Store, resources: ResourceTable) {
    this.#store = store;
    this.#resources = resources;
    store.subscribe((event) => {
      if (event.resource === crds) this.#follow(event);
      else if (event.type === 'DELETED') this.#afterDeletion(event);
    });
  }

  /** What is known of a type; `undefined` for built-in ones. */
  versionOf({ group, version, plural }: ApiResource): CustomVersion | undefined {
    return this.#versions.get(`${resourceOf(plural, group)}/${version}`);
  }

  #follow({ type, object }: StoreEvent): void {
    const { name, deletionTimestamp } = object.metadata;
    const storage = storageOf(object);
    if (type === 'DELETED') {
      this.#resources.define(name, []);
      this.#store.statusResources.delete(storage);
    } else if (deletionTimestamp) {
      this.#empty(object);
    } else {
      this.#define(object, storage);
    }
  }

  #define(definition: StoredObject, storage: string): void {
    const versions = servedVersions(definition);
    for (const version of versions) {
      this.#versions.set(`${storage}/${textOf(version['name'])}`, customVersionOf(version));
    }
    if (versions.some(hasStatus)) this.#store.statusResources.add(storage);
    else this.#store.statusResources.delete(storage);
    this.#resources.define(
      definition.metadata.name,
      versions.map((version) => apiResourceOf(definition, version)),
    );
    const status = statusOf(definition);
    if (!isDeepStrictEqual(status, definition['status'])) {
      this.#store.update(
        crds,
        { ...structuredClone(definition), status },
        { subresource: 'status' },
      );
    }
  }

  // With the definition go its objects, whose finalizers hold it as long as they like.
  #empty(definition: StoredObject): void {
    const storage = storageOf(definition);
    for (const { metadata } of this.#store.list(storage)) {
      if (!metadata.deletionTimestamp) {
        this.#store.delete(storage, metadata.namespace, metadata.name);
      }
    }
    this.#release(definition.metadata.name, storage);
  }

  #afterDeletion({ resource }: StoreEvent): void {
    const [plural = '', ...group] = resource.split('.');
    this.#release(`${plural}.${group.join('.')}`, resource);
  }

  #release(name: string, storage: string): void {
    const definition = this.#store.get(crds, undefined, name);
    if (!definition?.metadata.deletionTimestamp) return;
    if (this.#store.peekAll(storage).length > 0) return;
    definition.metadata.finalizers = (definition.metadata.finalizers ?? []).filter(
      (finalizer) => finalizer !== cleanup,
    );
    this.#store.update(crds, definition);
  }
}

/**
 * Checks a CustomResourceDefinition before it is stored, and gives it the finalizer that its
 * objects are cleaned up by.
 *
 * @throws {StatusError} 422 that names the field; a CEL rule that is not understood is one, too.
 */
export function admitDefinition(definition: GivenObject): void {
  const name = definition.metadata.name ?? '';
  const { group, names } = fieldsOf(definition['spec']);
  const expected = `${textOf(fieldsOf(names)['plural'])}.${textOf(group)}`;
  if (name !== expected) {
    const message = `Invalid value: "${name}": must be spec.names.plural+"."+spec.group`;
    throw invalid(kind, name, [{ field: 'metadata.name', message }]);
  }
  const versions = listOf(fieldsOf(definition['spec'])['versions']).map(fieldsOf);
  if (versions.filter((version) => version['storage'] === true).length !== 1) {
    const message = 'Invalid value: must have exactly one version marked as storage version';
    throw invalid(kind, name, [{ field: 'spec.versions', message }]);
  }
  versions.forEach((version, index) => {
    admitSchema(version, { name, field: `spec.versions[${index}].schema.openAPIV3Schema` });
  });
  if (!definition.metadata.deletionTimestamp) {
    const finalizers = definition.metadata.finalizers ?? [];
    definition.metadata.finalizers = [...new Set([...finalizers, cleanup])];
  }
}

function admitSchema(version: Fields, at: { readonly name: string; readonly field: string }): void {
  const schema = schemaOf(version);
  if (schema['type'] !== 'object') {
    const message = 'Required value: schemas are required, of type object';
    throw invalid(kind, at.name, [{ field: at.field, message }]);
  }
  try {
    compileSchema(schema);
  } catch (error) {
    const message = `Invalid value: ${error instanceof Error ? error.message : 'unknown'}`;
    throw invalid(kind, at.name, [{ field: at.field, message }]);
  }
}

function schemaOf(version: Fields): Fields {
  return fieldsOf(fieldsOf(version['schema'])['openAPIV3Schema']);
}

function hasStatus(version: Fields): boolean {
  return isFields(fieldsOf(version['subresources'])['status']);
}

function customVersionOf(version: Fields): CustomVersion {
  const schema = schemaOf(version);
  return {
    schema,
    structural: compileSchema(schema),
    typing: schemaTyping(schema),
    hasStatus: hasStatus(version),
    columns: listOf(version['additionalPrinterColumns']).map(fieldsOf),
  };
}

function servedVersions(definition: StoredObject): Fields[] {
  const versions = listOf(fieldsOf(definition['spec'])['versions']).map(fieldsOf);
  return versions.filter((version) => version['served'] === true);
}

function namesOf(definition: StoredObject): Fields {
  const given = fieldsOf(fieldsOf(definition['spec'])['names']);
  const name = textOf(given['kind']);
  return { singular: name.toLowerCase(), listKind: `${name}List`, ...given };
}

function storageOf(definition: StoredObject): string {
  const plural = textOf(namesOf(definition)['plural']);
  return resourceOf(plural, textOf(fieldsOf(definition['spec'])['group']));
}

function apiResourceOf(definition: StoredObject, version: Fields): ApiResource {
  const { group, scope } = fieldsOf(definition['spec']);
  const names = namesOf(definition);
  return {
    group: textOf(group),
    version: textOf(version['name']),
    kind: textOf(names['kind']),
    plural: textOf(names['plural']),
    singular: textOf(names['singular']),
    namespaced: scope !== 'Cluster',
    shortNames: listOf(names['shortNames']) as string[],
    categories: listOf(names['categories']) as string[],
    subresources: hasStatus(version) ? ['status'] : [],
    createOnly: false,
  };
}

function statusOf(definition: StoredObject): Fields {
  const versions = listOf(fieldsOf(definition['spec'])['versions']).map(fieldsOf);
  const storage = versions.find((version) => version['storage'] === true);
  const lastTransitionTime = definition.metadata.creationTimestamp || timestamp();
  return {
    conditions: [
      {
        type: 'NamesAccepted',
        status: 'True',
        lastTransitionTime,
        reason: 'NoConflicts',
        message: 'no conflicts found',
      },
      {
        type: 'Established',
        status: 'True',
        lastTransitionTime,
        reason: 'InitialNamesAccepted',
        message: 'the initial names have been accepted',
      },
    ],
    acceptedNames: namesOf(definition),
    storedVersions: [textOf(storage?.['name'])],
  };
}
