import { sha256Hex } from '../bytes.ts';
import { isServerCertificateValid, makeServerCertificate } from '../certificates.ts';
import type { ServerCertificate, ServerNames } from '../certificates.ts';
import { resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient } from '../kubernetes/index.ts';
import type { Log } from '../log.ts';
import { serviceHost, simplePort } from '../providers/index.ts';
import type { Secret } from '../providers/index.ts';
import { names } from '../resource/index.ts';
import { labelsOf } from './labels.ts';
import { dockerConfigOf, htpasswdOf, isAdmitted, loginIn, makeLogin } from './simple-login.ts';
import type { Login } from './simple-login.ts';

/**
 * Makes sure that the simple registry has a certificate: the one that is there, or a new one.
 *
 * @returns The certificate's fingerprint.
 */
export async function ensureTls(
  kubernetes: KubernetesClient,
  namespace: string,
  log: Log,
): Promise<string> {
  const serverNames = serverNamesOf(namespace);
  const secret = await find(kubernetes, names.simpleTls, namespace);
  const existing = {
    caPem: textOf(secret, 'ca.crt'),
    certificatePem: textOf(secret, 'tls.crt'),
    keyPem: textOf(secret, 'tls.key'),
  };
  const isOurs = secret?.metadata.labels?.['app.kubernetes.io/managed-by'] === 'reposure';
  // What somebody else put there is theirs to renew.
  const isKept = isOurs ? isServerCertificateValid(existing, serverNames) : secret !== undefined;
  if (isKept) return sha256Hex(existing.certificatePem);
  const made = await makeServerCertificate(serverNames);
  await applySecret(kubernetes, tlsSecret(namespace, made), log);
  return sha256Hex(made.certificatePem);
}

interface LoginOptions {
  readonly given: Login | undefined;
  readonly pullHost: string | undefined;
  readonly log: Log;
}

/**
 * Makes sure that the simple registry knows a login, and that clients find it under every name of
 * the registry: the one that is given, else the one that is there, else a new one.
 */
export async function ensureLogin(
  kubernetes: KubernetesClient,
  namespace: string,
  { given, pullHost, log }: LoginOptions,
): Promise<void> {
  const existing = await find(kubernetes, names.simpleLogin, namespace);
  const login = given ?? loginIn(textOf(existing, '.dockerconfigjson')) ?? makeLogin();
  const htpasswd = textOf(await find(kubernetes, names.simpleHtpasswd, namespace), 'htpasswd');
  if (!(await isAdmitted(htpasswd, login))) {
    const htpasswdSecret = secretObject(names.simpleHtpasswd, namespace, 'Opaque', {
      htpasswd: await htpasswdOf(login),
    });
    await applySecret(kubernetes, htpasswdSecret, log);
  }
  const pushHost = serviceHost(names.simple, namespace, simplePort);
  const dockerConfig = dockerConfigOf(login, pullHost ? [pushHost, pullHost] : [pushHost]);
  const loginSecret = secretObject(names.simpleLogin, namespace, 'kubernetes.io/dockerconfigjson', {
    '.dockerconfigjson': dockerConfig,
  });
  await applySecret(kubernetes, loginSecret, log);
}

/** Every name by which Pods and nodes may reach the Service. */
function serverNamesOf(namespace: string): ServerNames {
  const { simple } = names;
  return {
    dnsNames: [
      `${simple}.${namespace}.svc`,
      simple,
      `${simple}.${namespace}`,
      `${simple}.${namespace}.svc.cluster.local`,
      'localhost',
    ],
    addresses: ['127.0.0.1'],
  };
}

function tlsSecret(namespace: string, made: ServerCertificate): Secret {
  return secretObject(names.simpleTls, namespace, 'kubernetes.io/tls', {
    'ca.crt': made.caPem,
    'tls.crt': made.certificatePem,
    'tls.key': made.keyPem,
  });
}

function secretObject(
  name: string,
  namespace: string,
  type: string,
  texts: Record<string, string>,
): Secret {
  const encoded = Object.entries(texts).map(([key, text]) => [
    key,
    Buffer.from(text).toString('base64'),
  ]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels: labelsOf(names.simple, 'registry') },
    type,
    data: Object.fromEntries(encoded),
  };
}

async function applySecret(kubernetes: KubernetesClient, secret: Secret, log: Log): Promise<void> {
  await kubernetes.apply(secret);
  const { name, namespace = '' } = secret.metadata;
  log.info(`Applied Secret ${namespace}/${name}`);
}

async function find(
  kubernetes: KubernetesClient,
  name: string,
  namespace: string,
): Promise<Secret | undefined> {
  return kubernetes.find<Secret>(resourceTypes.Secret, name, namespace);
}

function textOf(secret: Secret | undefined, key: string): string {
  return Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8');
}
