import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request as forward } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startTestServer } from '../../core/src/registry/test/server.ts';
import { startDistribution, writeCertificates } from './registries.ts';

/** Who asks for a token. */
interface TokenLogin {
  readonly username: string;
  readonly password: string;
}

/** An answer instead of what was asked for. */
export interface Refusal {
  readonly status: number;
  readonly body: object;
}

/** Real Distribution, and the token service in front of it. */
export interface TokenRegistryOptions {
  readonly version: '2' | '3';
  /** Registry and token service share an address. */
  readonly realmPath: string;
  readonly service: string;
  readonly issuer: string;
  /** Plain HTTP without it. */
  readonly tls?: boolean;
  /** What somebody may do in a scope, `repository:team/app:pull,push`; or why there is no token at all. */
  readonly grant: (login: TokenLogin | undefined, scope: string) => readonly string[] | Refusal;
  /** What a product's own front says before the registry is asked. */
  readonly gate?: (request: IncomingMessage) => Refusal | undefined;
}

/** Where it is. */
export interface TokenRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** PEM, over TLS. */
  readonly ca: string;
  close(): Promise<void>;
}

interface Signer {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** Starts both. @returns `undefined` if the machine has no such registry. */
export async function startTokenRegistry(
  options: TokenRegistryOptions,
): Promise<TokenRegistry | undefined> {
  const { version, realmPath, service, issuer, tls = false, gate } = options;
  const signer = await makeSigner();
  let upstream = '';
  const front = await startTestServer(
    (request, response) => {
      const url = new URL(request.url ?? '', 'http://x');
      if (url.pathname === realmPath) return answerToken(options, signer, request, response);
      const refusal = gate?.(request);
      if (refusal) return refuse(response, refusal);
      passOn(upstream, { isTls: tls, request, response });
    },
    tls ? { cert: signer.certificate, key: signer.key } : undefined,
  );
  const realm = `${tls ? 'https' : 'http'}://${front.host}${realmPath}`;
  const registry = await startDistribution({
    version,
    token: { realm, service, issuer, roots: signer.ca },
  });
  if (!registry) {
    await front.close();
    return undefined;
  }
  upstream = registry.host;
  const close = async (): Promise<void> => {
    await front.close();
    await registry.close();
  };
  return { host: front.host, ca: signer.ca, close };
}

async function makeSigner(): Promise<Signer> {
  const directory = await mkdtemp(join(tmpdir(), 'reposure-signer-'));
  try {
    const ca = await writeCertificates(directory);
    const read = (name: string): Promise<string> => readFile(join(directory, name), 'utf8');
    return { ca, certificate: await read('tls.crt'), key: await read('tls.key') };
  } finally {
    await rm(directory, { recursive: true });
  }
}

function answerToken(
  { grant, issuer, service }: TokenRegistryOptions,
  signer: Signer,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { searchParams } = new URL(request.url ?? '', 'http://x');
  const login = loginOf(request.headers.authorization);
  const access: object[] = [];
  for (const scope of ['', ...searchParams.getAll('scope')]) {
    const actions = grant(login, scope);
    if ('status' in actions) return refuse(response, actions);
    const [type, name] = scope.split(':');
    if (name !== undefined) access.push({ type, name, actions });
  }
  const token = signed(signer, { iss: issuer, aud: service, access });
  response.end(JSON.stringify({ token, expires_in: 300 }));
}

function loginOf(authorization = ''): TokenLogin | undefined {
  const [, encoded] = /^Basic (.+)$/i.exec(authorization) ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const at = text.indexOf(':');
  return { username: text.slice(0, at), password: text.slice(at + 1) };
}

/** @see https://distribution.github.io/distribution/spec/auth/jwt/ */
function signed({ certificate, key: keyPem }: Signer, claims: object): string {
  const now = Math.floor(Date.now() / 1000);
  const x5c = [new X509Certificate(certificate).raw.toString('base64')];
  const times = { iat: now, nbf: now - 10, exp: now + 300 };
  const text = [
    { typ: 'JWT', alg: 'ES256', x5c },
    { ...claims, ...times, sub: 'someone', jti: randomUUID() },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const key = { key: createPrivateKey(keyPem), dsaEncoding: 'ieee-p1363' } as const;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

function refuse(response: ServerResponse, { status, body }: Refusal): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Hands a request to another server as it is, and its answer back. */
export function passOn(
  host: string,
  passage: { isTls?: boolean; request: IncomingMessage; response: ServerResponse },
): void {
  const { isTls = false, request, response } = passage;
  const { method, url } = request;
  const headers = { ...request.headers, ...(isTls ? { 'x-forwarded-proto': 'https' } : {}) };
  const onward = forward(`http://${host}${url}`, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  request.pipe(onward);
}
