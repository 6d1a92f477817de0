// A stand-in for OpenShift's registry and its image API, run by Node in a Pod. It does what the
// product's sources say, and refuses what they refuse; blobs and manifests lie in the registry behind it.
//
// openshift/image-registry, pkg/dockerregistry/server: auth.go and token.go (at 0e07a077, 03416247),
// util.go (getNamespaceName); openshift/openshift-apiserver: imagestreams, imagestreamtags.
import { readFileSync } from 'node:fs';
import { request as requestHttp } from 'node:http';
import { createServer, request as requestHttps } from 'node:https';

const { REGISTRY_NAME, UPSTREAM, API_URL, API_CA } = process.env;
const [, , tlsFolder] = process.argv;
const tls = {
  cert: readFileSync(`${tlsFolder}/tls.crt`),
  key: readFileSync(`${tlsFolder}/tls.key`),
};

createServer(tls, (request, response) => {
  serveRegistry(request, response).catch((error) => fail(response, error));
}).listen(5000);
createServer(tls, (request, response) => {
  serveImages(request, response).catch((error) => fail(response, error));
}).listen(8443);

function fail(response, error) {
  if (!response.headersSent) response.writeHead(500);
  response.end(String(error));
}

function say(response, status, body, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function refuse(response, status, message, challenge) {
  const headers = challenge ? { 'www-authenticate': challenge } : {};
  say(response, status, { errors: [{ code: codes[status], message }] }, headers);
}

const codes = { 400: 'UNKNOWN', 401: 'UNAUTHORIZED', 421: 'DENIED' };

async function serveRegistry(request, response) {
  // What a router in front of it, and its certificate, are for.
  if (request.headers.host !== REGISTRY_NAME) {
    return refuse(response, 421, `${request.headers.host} is not served here`);
  }
  const { pathname } = new URL(request.url, 'https://registry');
  if (pathname === '/openshift/token') return serveToken(request, response);
  const token = tokenOf(request);
  if (token === undefined) {
    const realm = `Bearer realm="https://${REGISTRY_NAME}/openshift/token"`;
    return refuse(response, 401, 'authorization header required', realm);
  }
  const denied = 'Basic realm=openshift,error="access denied"';
  const [, repository] =
    /^\/v2\/(.+)\/(?:blobs|manifests|tags|referrers)(?:\/|$)/.exec(pathname) ?? [];
  if (repository !== undefined && repository.split('/').length !== 2) {
    return refuse(response, 400, 'repository namespace required');
  }
  const asked = questionOf(request.method, pathname, repository);
  const status = await review(token, asked);
  if (status !== 'allowed') return refuse(response, 401, status, denied);
  return pass(request, response);
}

/** As getOpenShiftAPIToken(): the API token itself, or the password beside any user name. */
function tokenOf({ headers: { authorization = '' } }) {
  const [scheme, text = ''] = authorization.split(' ');
  if (scheme.toLowerCase() === 'bearer') return text;
  if (scheme.toLowerCase() !== 'basic') return undefined;
  return Buffer.from(text, 'base64')
    .toString()
    .replace(/^[^:]*:/, '');
}

async function serveToken(request, response) {
  const token = tokenOf(request);
  if (token === undefined) return say(response, 200, { token: 'anonymous' });
  return say(response, (await review(token)) === 'allowed' ? 200 : 401, { token });
}

/** What a SelfSubjectAccessReview is asked for; nothing for whoever only logs in. */
function questionOf(method, pathname, repository) {
  if (pathname === '/v2/_catalog') return { resource: 'imagestreams', verb: 'list' };
  if (repository === undefined) return undefined;
  const [namespace, name] = repository.split('/');
  if (method === 'DELETE' && !pathname.includes('/uploads/')) {
    return { resource: 'images', verb: 'delete' };
  }
  const isRead = ['GET', 'HEAD'].includes(method) && !pathname.includes('/uploads/');
  const verb = isRead ? 'get' : 'update';
  return { namespace, name, resource: 'imagestreams', subresource: 'layers', verb };
}

/** Asks the API server with the token that came; without a question, whether it is one at all. */
async function review(token, question) {
  const group = 'image.openshift.io';
  const attributes = { group, ...(question ?? { resource: 'imagestreams', verb: 'get' }) };
  const { status, body } = await askApi(token, attributes);
  if (status === 401 || status === 403) return 'access denied';
  if (status !== 201) throw new Error(`the API server answered ${status}: ${body}`);
  return question === undefined || JSON.parse(body).status.allowed ? 'allowed' : 'access denied';
}

function askApi(token, resourceAttributes) {
  const url = new URL('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', API_URL);
  const text = JSON.stringify({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes },
  });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return ask(requestHttps(url, { method: 'POST', headers, ca: API_CA, agent: false }), text);
}

async function ask(outgoing, text = '') {
  const answer = await new Promise((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject).end(text);
  });
  const body = Buffer.concat(await Array.fromAsync(answer)).toString();
  return { status: answer.statusCode, body };
}

/** To the registry behind: without the login, which is not for it. */
function pass(request, response) {
  const { authorization: _, ...headers } = request.headers;
  const url = new URL(request.url, UPSTREAM);
  const outgoing = requestHttp(url, { method: request.method, headers, agent: false });
  outgoing.once('response', (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  outgoing.once('error', (error) => fail(response, error));
  request.pipe(outgoing);
}

/** image.openshift.io/v1 behind the aggregator, which has checked who may do what. */
async function serveImages(request, response) {
  const { pathname } = new URL(request.url, 'https://api');
  const apiVersion = 'image.openshift.io/v1';
  const [, namespace, kind, name = ''] =
    /^\/apis\/image\.openshift\.io\/v1\/namespaces\/([^/]+)\/([^/]+)(?:\/(.+))?$/.exec(pathname) ??
    [];
  if (kind === 'imagestreams' && request.method === 'GET') {
    const items = (await repositories()).filter((each) => each.startsWith(`${namespace}/`));
    return say(response, 200, {
      kind: 'ImageStreamList',
      apiVersion,
      metadata: { resourceVersion: '1' },
      items: items.map((each) => ({ metadata: { namespace, name: each.split('/')[1] } })),
    });
  }
  if (kind === 'imagestreamtags' && request.method === 'DELETE') {
    const [stream, tag] = decodeURIComponent(name).split(':');
    const url = new URL(`/v2/${namespace}/${stream}/manifests/${tag}`, UPSTREAM);
    const { status } = await ask(requestHttp(url, { method: 'DELETE', agent: false }));
    const isDeleted = status < 300;
    return say(response, isDeleted ? 200 : 404, {
      kind: 'Status',
      apiVersion: 'v1',
      status: isDeleted ? 'Success' : 'Failure',
      ...(isDeleted ? {} : { reason: 'NotFound', code: 404, message: `${name} not found` }),
    });
  }
  const resource = (plural, kindName, verbs) => ({
    name: plural,
    singularName: '',
    namespaced: true,
    kind: kindName,
    verbs,
  });
  return say(response, 200, {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersion,
    resources: [
      resource('imagestreams', 'ImageStream', ['list']),
      resource('imagestreamtags', 'ImageStreamTag', ['delete']),
    ],
  });
}

async function repositories() {
  const { body } = await ask(
    requestHttp(new URL('/v2/_catalog?n=1000', UPSTREAM), { agent: false }),
  );
  return JSON.parse(body).repositories ?? [];
}
