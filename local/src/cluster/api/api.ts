import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import { serveAggregated } from './aggregation.ts';
import { authenticate } from './authentication.ts';
import type { NodeBackends } from './backends.ts';
import type { ApiContext } from './context.ts';
import { CustomResources } from './crd.ts';
import { sendFailure } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { execRequestOf, ExecServer } from './exec.ts';
import type { Upgrade } from './exec.ts';
import { serveLogs } from './logs.ts';
import { serveObjects } from './objects.ts';
import { servePath } from './paths.ts';
import { serveProxy } from './proxy.ts';
import { forbidden, isAllowed } from './rbac.ts';
import type { Attributes } from './rbac.ts';
import { requestInfoOf } from './request-info.ts';
import type { RequestInfo } from './request-info.ts';
import { ResourceTable } from './resources.ts';
import type { ApiResource } from './resources.ts';
import { serveReview, serveTokenRequest } from './reviews.ts';
import { serveScale } from './scale.ts';
import { badRequest, methodNotAllowed, noSuchPath, statusOf } from './status.ts';
import type { Store } from './store.ts';
import type { Tokens, User } from './tokens.ts';
import { writeRequestOf } from './write.ts';

/** What the API serves, and to whom. */
export interface ApiOptions {
  readonly store: Store;
  readonly tokens: Tokens;
  readonly backends: NodeBackends;
}

/** The two handlers of an HTTP server. */
export interface Api {
  handle(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Cuts what was upgraded. */
  close(): void;
}

/** Makes the Kubernetes API on a store. */
export function createApi(options: ApiOptions): Api {
  const resources = new ResourceTable();
  const custom = new CustomResources(options.store, resources);
  const context: ApiContext = { ...options, resources, custom };
  const execs = new ExecServer();
  return {
    handle: (request, response) => {
      answer(context, request, response).catch((error: unknown) => {
        sendFailure(response, error);
      });
    },
    upgrade: (request, socket, head) => {
      try {
        serveUpgrade(context, execs, { request, socket, head });
      } catch (error) {
        refuseUpgrade(socket, error);
      }
    },
    close: () => {
      execs.close();
    },
  };
}

async function answer(
  context: ApiContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const user = authenticate(context.tokens, context.store, request);
  const info = infoOf(request);
  authorize(context, user, attributesOf(info));
  const exchange: Exchange = { request, response, info, user };
  if (await serveAggregated(context, exchange)) return;
  if (!info.target) {
    servePath(context, exchange);
    return;
  }
  const type = typeOf(context, info);
  await (info.target.subresource
    ? serveSubresource(context, exchange, type)
    : serveResource(context, exchange, type));
}

function infoOf({ method = 'GET', url = '/' }: IncomingMessage): RequestInfo {
  try {
    return requestInfoOf(method, url);
  } catch {
    throw badRequest('Cannot read the path: want a valid percent-encoding');
  }
}

function typeOf({ resources }: ApiContext, { target }: RequestInfo): ApiResource {
  const type = target && resources.find(target.group, target.version, target.plural);
  if (!type) throw noSuchPath();
  const isWhole = target.namespace === undefined;
  if (type.namespaced ? target.name !== undefined && isWhole : !isWhole) throw noSuchPath();
  return type;
}

function serveResource(context: ApiContext, exchange: Exchange, type: ApiResource): Promise<void> {
  return type.createOnly
    ? serveOnly('create', exchange, () => serveReview(context, exchange, type))
    : serveObjects(context, exchange, type);
}

async function serveSubresource(
  context: ApiContext,
  exchange: Exchange,
  type: ApiResource,
): Promise<void> {
  const { subresource = '' } = exchange.info.target ?? {};
  if (!type.subresources.includes(subresource)) throw noSuchPath();
  switch (subresource) {
    case 'status':
      return serveObjects(context, exchange, type);
    case 'scale':
      return serveScale(writeRequestOf(context, exchange, type));
    case 'log':
      return serveOnly('get', exchange, () => serveLogs(context, exchange));
    case 'token':
      return serveOnly('create', exchange, () => serveTokenRequest(context, exchange));
    case 'proxy':
      return serveProxy(context, exchange);
    case 'exec':
      execRequestOf(context, exchange.info);
      throw badRequest('Upgrade request required');
    default:
      throw noSuchPath();
  }
}

function serveOnly(verb: string, { info }: Exchange, serve: () => Promise<void>): Promise<void> {
  if (info.verb !== verb) throw methodNotAllowed();
  return serve();
}

function authorize({ store }: ApiContext, user: User, attributes: Attributes): void {
  if (!isAllowed(store, user, attributes)) throw forbidden(user, attributes);
}

function attributesOf({ verb, path, target, query }: RequestInfo): Attributes {
  if (!target) return { verb, path };
  // As in the API server: who selects one name needs the right to that name only.
  const selected = /^metadata\.name==?([^,!=]+)$/.exec(query.get('fieldSelector') ?? '')?.[1];
  return {
    verb,
    group: target.group,
    resource: target.plural,
    subresource: target.subresource,
    // A namespace is in itself, for RBAC.
    namespace: target.plural === 'namespaces' && !target.group ? target.name : target.namespace,
    name: target.name ?? selected,
  };
}

function serveUpgrade(context: ApiContext, execs: ExecServer, upgrade: Upgrade): void {
  const user = authenticate(context.tokens, context.store, upgrade.request);
  const info = infoOf(upgrade.request);
  const attributes = attributesOf(info);
  authorize(context, user, attributes);
  const type = typeOf(context, info);
  if (type.plural !== 'pods' || info.target?.subresource !== 'exec') throw noSuchPath();
  // From Kubernetes 1.35 on, a WebSocket needs the right to create as well.
  authorize(context, user, { ...attributes, verb: 'create' });
  execs.serve(context, info, upgrade);
}

// There is no response object for an upgrade: the refusal is written as it stands.
function refuseUpgrade(socket: Duplex, error: unknown): void {
  const status = statusOf(error);
  const body = `${JSON.stringify(status)}\n`;
  socket.on('error', () => {});
  socket.end(
    [
      `HTTP/1.1 ${status.code} ${String(status['reason'])}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
