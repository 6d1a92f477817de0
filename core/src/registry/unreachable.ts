import { UnreachableError } from '../errors.ts';
import { MessageError, TruncatedMessageError } from '../http/message-error.ts';

/** Why there is no trusting a registry, as a condition's reason says it. */
export const distrusts = [
  'CertificateExpired',
  'CertificateForOtherName',
  'CertificateNotTrusted',
  'CertificateNotYetValid',
  'NoTls',
] as const;
export type Distrust = (typeof distrusts)[number];

/** The registry is there, but there is no trusting it: trying again does not help. */
export class UntrustedError extends UnreachableError {
  readonly distrust: Distrust;

  constructor(message: string, distrust: Distrust) {
    super(message);
    this.distrust = distrust;
  }

  override get isTransient(): boolean {
    return false;
  }
}

const sentences: Readonly<Record<Distrust, string>> = {
  CertificateExpired: 'its certificate, or that of its CA, has expired; want a renewed certificate',
  CertificateForOtherName:
    'its certificate is for another name; want a certificate for this host, or the host as the certificate has it',
  CertificateNotTrusted:
    'its certificate is not signed by a CA that is trusted here; want the CA certificate (PEM) of the registry',
  CertificateNotYetValid:
    'its certificate is not valid yet; want another certificate, or the right time on both machines',
  NoTls:
    'it does not speak TLS; want https there, or insecure where plain HTTP is meant to be used',
};

/** @see https://nodejs.org/docs/latest-v24.x/api/tls.html#x509-certificate-error-codes */
const untrusted: Readonly<Record<string, Distrust>> = {
  SELF_SIGNED_CERT_IN_CHAIN: 'CertificateNotTrusted',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'CertificateNotTrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'CertificateNotTrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'CertificateNotTrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'CertificateNotTrusted',
  CERT_SIGNATURE_FAILURE: 'CertificateNotTrusted',
  CERT_UNTRUSTED: 'CertificateNotTrusted',
  CERT_HAS_EXPIRED: 'CertificateExpired',
  CERT_NOT_YET_VALID: 'CertificateNotYetValid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'CertificateForOtherName',
  ERR_SSL_WRONG_VERSION_NUMBER: 'NoTls',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'NoTls',
};

const lost: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (ECONNREFUSED)',
  ENOTFOUND: 'its name is not known (ENOTFOUND)',
  EAI_AGAIN: 'its name could not be looked up (EAI_AGAIN)',
  EHOSTUNREACH: 'there is no way to it (EHOSTUNREACH)',
  ENETUNREACH: 'there is no way to its network (ENETUNREACH)',
  ETIMEDOUT: 'it does not answer (ETIMEDOUT)',
  ECONNRESET: 'it closed the connection (ECONNRESET)',
  EPIPE: 'it closed the connection (EPIPE)',
  CONNECT_TIMEOUT: 'it took no connection within 10 s',
  ANSWER_TIMEOUT: 'it took the request, but did not answer in time',
  SILENCE_TIMEOUT: 'it fell silent for 5 min in the middle of a message',
  PROXY_REFUSED: 'the proxy does not let us through to it',
  CLOSED_HERE: 'the connections to it are closed on this side',
};

/**
 * Says why no answer came, and what to do.
 *
 * @param origin `scheme://host[:port]`
 * @param cause What the connection failed with.
 */
export function unreachable(origin: string, cause: unknown): UnreachableError {
  const code = codeOf(cause);
  const { host } = new URL(origin);
  const distrust = untrusted[code];
  if (cause instanceof TruncatedMessageError) return broken(host, 'the connection broke off');
  if (cause instanceof MessageError) return broken(host, 'it does not answer in HTTP/1.1');
  // The cause is not kept: its text is the system's.
  if (distrust) {
    const message = `Cannot reach registry ${host}: ${sentences[distrust]} (${code})`;
    return new UntrustedError(message, distrust);
  }
  const reason = lost[code] ?? `the connection failed${code ? ` (${code})` : ''}`;
  return broken(host, reason);
}

function broken(host: string, reason: string): UnreachableError {
  return new UnreachableError(`Cannot reach registry ${host}: ${reason}`);
}

// Several addresses of one name fail together as an AggregateError; any of them tells.
function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  if (!(error instanceof Error)) return '';
  if ('code' in error && typeof error.code === 'string' && !isVague(error)) return error.code;
  return codeOf(error.cause) || ('code' in error ? String(error.code) : '');
}

function isVague(error: Error): boolean {
  return error.cause instanceof Error;
}
