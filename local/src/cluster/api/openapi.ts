import { sha256Hex } from '@reposure/core';

import type { Fields } from './object.ts';
import { groupVersionOf } from './resources.ts';
import type { ApiResource } from './resources.ts';

/** The schema of a custom resource; `undefined` for a built-in type. */
export type SchemaLookup = (type: ApiResource) => Fields | undefined;

/** `api/v1`, `apis/apps/v1`: the documents of OpenAPI v3 by their path below `/openapi/v3/`. */
function documentPathOf(type: ApiResource): string {
  return type.group ? `apis/${groupVersionOf(type)}` : `api/${type.version}`;
}

/** `/openapi/v3`: where the documents are; the hash lets clients keep them. */
export function openApiRoot(types: readonly ApiResource[], schemaOf: SchemaLookup): Fields {
  const paths = [...new Set(types.map(documentPathOf))].map((path): [string, Fields] => {
    const hash = sha256Hex(JSON.stringify(openApiDocument(types, path, schemaOf)));
    return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash.toUpperCase()}` }];
  });
  return { paths: Object.fromEntries(paths) };
}

/**
 * `/openapi/v3/…`: just what kubectl looks for. Schemas of built-in types know no fields, and
 * strategic merge is not declared, so that kubectl takes the merge keys that it knows itself.
 *
 * @returns `undefined` if nothing is served there.
 */
export function openApiDocument(
  types: readonly ApiResource[],
  path: string,
  schemaOf: SchemaLookup,
): Fields | undefined {
  const members = types.filter((type) => documentPathOf(type) === path);
  if (members.length === 0) return undefined;
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.36.0' },
    paths: Object.fromEntries(members.map((type) => [pathOf(type), operationsOf(type)])),
    components: {
      schemas: Object.fromEntries(
        members.map((type) => [schemaNameOf(type), schemaEntry(type, schemaOf(type))]),
      ),
    },
  };
}

function pathOf(type: ApiResource): string {
  const inside = type.namespaced ? 'namespaces/{namespace}/' : '';
  return `/${documentPathOf(type)}/${inside}${type.plural}/{name}`;
}

function schemaNameOf({ group, version, kind }: ApiResource): string {
  const domain = group.split('.').toReversed().join('.') || 'core';
  return `io.k8s.api.${domain}.${version}.${kind}`;
}

function gvkOf({ group, version, kind }: ApiResource): Fields {
  return { group, version, kind };
}

function schemaEntry(type: ApiResource, schema: Fields | undefined): Fields {
  const known = schema ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return { ...known, 'x-kubernetes-group-version-kind': [gvkOf(type)] };
}

const patchTypes = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
];

function operationsOf(type: ApiResource): Fields {
  const schema = { $ref: `#/components/schemas/${schemaNameOf(type)}` };
  const answered = {
    responses: { 200: { description: 'OK', content: { 'application/json': { schema } } } },
    'x-kubernetes-group-version-kind': gvkOf(type),
  };
  const content = Object.fromEntries(patchTypes.map((each) => [each, { schema: {} }]));
  const queries = ['dryRun', 'fieldManager', 'fieldValidation', 'force'];
  return {
    get: { ...answered, 'x-kubernetes-action': 'get' },
    patch: {
      ...answered,
      'x-kubernetes-action': 'patch',
      parameters: queries.map((name) => ({ name, in: 'query', schema: { type: 'string' } })),
      requestBody: { content },
    },
  };
}
