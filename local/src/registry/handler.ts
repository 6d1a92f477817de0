import type { IncomingMessage, ServerResponse } from 'node:http';

import { explain, silent } from '@reposure/core';
import type { Log } from '@reposure/core';

import { deleteBlob, getBlob } from './blobs.ts';
import { parseEndpoint } from './endpoint.ts';
import type { EndpointKind } from './endpoint.ts';
import type { Answer, Respond } from './exchange.ts';
import { htpasswdLogin } from './htpasswd.ts';
import { getBase, getCatalog, getReferrers, getTags } from './listings.ts';
import { deleteManifest, getManifest, putManifest } from './manifests.ts';
import type { EmbeddedRegistryOptions } from './options.ts';
import { isNoSpace, noSpaceLeft, Refusal } from './refusal.ts';
import { answerOf, send } from './send.ts';
import { openStore } from './store/store.ts';
import type { Store } from './store/store.ts';
import { beginUpload, cancelUpload, continueUpload, finishUpload, getUpload } from './uploads.ts';

/** Answers a request to its end, whatever happens to it. */
export type Serve = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const responders: Record<EndpointKind, Readonly<Record<string, Respond>>> = {
  base: { GET: getBase, HEAD: getBase },
  catalog: { GET: getCatalog, HEAD: getCatalog },
  tags: { GET: getTags, HEAD: getTags },
  referrers: { GET: getReferrers, HEAD: getReferrers },
  blob: { GET: getBlob, HEAD: getBlob, DELETE: deleteBlob },
  manifest: { GET: getManifest, HEAD: getManifest, PUT: putManifest, DELETE: deleteManifest },
  uploads: { POST: beginUpload },
  upload: { GET: getUpload, PATCH: continueUpload, PUT: finishUpload, DELETE: cancelUpload },
};

/** The registry as a handler for any HTTP server of Node; requests run by themselves. */
export function registryHandler(
  options: EmbeddedRegistryOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const serve = serving(options, openStore(options.directory, options.maxBytes));
  return (request, response) => void serve(request, response);
}

/** The registry on a store that is open. The promises that it returns never reject. */
export function serving(options: EmbeddedRegistryOptions, store: Store): Serve {
  const { log = silent } = options;
  const authenticate = authentication(options, log);
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const [path = '', query] = (request.url ?? '').split('?', 2);
    // What a probe asks: that the process answers, and nothing about what it holds.
    if (path === '/') return { status: 200 };
    await authenticate(request);
    const endpoint = parseEndpoint(path);
    const respond = responderOf(options, endpoint.kind, request.method ?? '');
    return respond({ ...endpoint, request, store, query: new URLSearchParams(query) });
  };
  return async (request, response) => {
    response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
    try {
      await send(response, await answer(request).catch((error: unknown) => refused(error, log)));
      log.debug(`${request.method} ${redacted(request)} answered ${response.statusCode}`);
    } catch (error) {
      log.debug(`${request.method} ${redacted(request)} broke off: ${explain(error)}`);
      response.destroy();
    }
    // What was refused may still be on its way: taken and dropped, so that the client, which perhaps
    // sends everything before it reads, gets to the answer.
    request.resume();
  };
}

function authentication(
  { htpasswdFile, realm = 'Registry' }: EmbeddedRegistryOptions,
  log: Log,
): (request: IncomingMessage) => Promise<void> {
  if (htpasswdFile === undefined) return async () => {};
  const login = htpasswdLogin(htpasswdFile, log);
  const headers = { 'WWW-Authenticate': `Basic realm="${realm.replaceAll(/["\\\r\n]/g, '')}"` };
  return async (request) => {
    if (await login(request.headers.authorization)) return;
    throw new Refusal(401, 'UNAUTHORIZED', 'log in with a user of this registry', { headers });
  };
}

function responderOf(
  { readOnly = false, deletes = true }: EmbeddedRegistryOptions,
  kind: EndpointKind,
  method: string,
): Respond {
  const methods = Object.entries(responders[kind]);
  const isOff = (name: string): boolean => {
    if (name === 'GET' || name === 'HEAD') return false;
    return readOnly || (name === 'DELETE' && !deletes && kind !== 'upload');
  };
  const on = methods.filter(([name]) => !isOff(name));
  const respond = on.find(([name]) => name === method)?.[1];
  if (respond) return respond;
  const message = methods.some(([name]) => name === method)
    ? `this registry is set up without ${readOnly ? 'writing' : 'deletes'}`
    : 'the method is not supported here';
  const headers = { Allow: on.map(([name]) => name).join(', ') };
  throw new Refusal(405, 'UNSUPPORTED', message, { headers });
}

function refused(error: unknown, log: Log): Answer {
  if (error instanceof Refusal) return answerOf(error);
  if (isNoSpace(error)) {
    log.warn(`Cannot store: ${explain(error)}`);
    return answerOf(noSpaceLeft(error));
  }
  log.warn(`Cannot answer: ${explain(error)}`);
  return answerOf(new Refusal(500, 'UNKNOWN', 'the registry failed; its log says why'));
}

/** The id of an upload is a secret, and so may be what is in a query. */
function redacted({ url = '' }: IncomingMessage): string {
  return url.replace(/\?.*/s, '').replace(/(\/blobs\/uploads\/).+/s, '$1…');
}
