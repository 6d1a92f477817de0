import type { ServerResponse } from 'node:http';

import type { ApiContext } from './context.ts';
import {
  aggregatedDiscovery,
  aggregatedType,
  coreVersions,
  groupList,
  groupOf,
  resourceList,
  serverVersion,
} from './discovery.ts';
import { sendJson, sendText } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import type { Fields } from './object.ts';
import { openApiDocument, openApiRoot } from './openapi.ts';
import { noSuchPath } from './status.ts';

/** Answers what is about the API itself: discovery, OpenAPI, version, health. @throws {StatusError} */
export function servePath(context: ApiContext, { request, response, info }: Exchange): void {
  const path = info.path.replace(/(?<=.)\/$/, '');
  if (/^\/(healthz|livez|readyz)(\/|$)/.test(path)) {
    sendText(response, 200, 'ok');
    return;
  }
  const accept = request.headers.accept ?? '';
  if (path === '/openapi/v2') {
    sendOpenApiV2(response);
    return;
  }
  const isDiscovery = path === '/api' || path === '/apis';
  if (isDiscovery && accept.includes('g=apidiscovery.k8s.io;v=v2;')) {
    const found = aggregatedDiscovery(context.resources.all(), path === '/api');
    sendJson(response, 200, found, aggregatedType);
    return;
  }
  const found = documentAt(context, path);
  if (!found) throw noSuchPath();
  sendJson(response, 200, found);
}

// Clients ask for v2 in protobuf only, and for lists or types that v3 does not have: a document that
// says `swagger: "2.0"` and nothing else lets kubectl go on without client-side validation.
function sendOpenApiV2(response: ServerResponse): void {
  response.writeHead(200, {
    'Content-Type': 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
  });
  response.end(Buffer.from('\n\x032.0'));
}

function documentAt(context: ApiContext, path: string): Fields | undefined {
  const types = context.resources.all();
  const [, root = '', first = '', second] = path.split('/');
  switch (root) {
    case 'version':
      return serverVersion;
    case 'api':
      return first ? resourceList(types, first) : coreVersions();
    case 'apis':
      if (!first) return groupList(types);
      return second ? resourceList(types, `${first}/${second}`) : groupOf(types, first);
    case 'openapi':
      return openApiAt(context, path.slice('/openapi/'.length));
    case '':
      return {
        paths: ['/api', '/apis', '/healthz', '/livez', '/openapi/v3', '/readyz', '/version'],
      };
    default:
      return undefined;
  }
}

function openApiAt({ resources, custom }: ApiContext, path: string): Fields | undefined {
  const [version, ...rest] = path.split('/');
  if (version !== 'v3') return undefined;
  const types = resources.all();
  const schemaOf = (type: Parameters<typeof custom.versionOf>[0]): Fields | undefined =>
    custom.versionOf(type)?.schema;
  if (rest.length === 0) return openApiRoot(types, schemaOf);
  return openApiDocument(types, rest.join('/'), schemaOf);
}
