import type { ReposureError } from '../errors.ts';
import { UnreachableError } from '../errors.ts';
import type { Access } from './access.ts';
import { KubeconfigError } from './kubeconfig-error.ts';
import { KubernetesError, Status } from './kubernetes-error.ts';

/** What a request was about, for the errors it may meet. */
export interface Purpose {
  /** `get Registry ci/default`, after "Cannot". */
  readonly action: string;
  /** What to do if this caller may not, in place of the general advice. */
  readonly forbiddenStep?: string | undefined;
  /** What to do if it is not there, or does not answer. */
  readonly absentStep?: string | undefined;
  /** It is worth waiting for if it does not answer. */
  readonly isExpectedBack?: boolean | undefined;
}

/** An answer, as far as a refusal is read from it; a chunk may be overwritten by the next one. */
export interface Refused extends AsyncIterable<Uint8Array> {
  readonly statusCode?: number | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

const maxErrorBytes = 65_536;

/** The refusal in an answer whose status is no success; the body is read, or let go of. */
export async function refusalOf(
  response: Refused,
  purpose: Purpose,
  access: Access,
): Promise<KubernetesError> {
  const text = await headOf(response);
  const said = statusIn(text);
  const status = response.statusCode ?? 0;
  const message = said?.message ?? plainText(response, text);
  return new KubernetesError(`${purpose.action} at ${access.server}`, {
    status,
    reason: said?.reason,
    message,
    retryAfterMs: retryAfterMsOf(response, said),
    causes: said?.details?.causes,
    nextStep: missingStep(message) ?? nextStepOf(status, purpose, access),
    isExpectedBack: purpose.isExpectedBack && status >= 500,
  });
}

async function headOf(response: Refused): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      chunks.push(Buffer.from(chunk));
      size += chunk.byteLength;
      if (size > maxErrorBytes) break;
    }
  } catch {
    // Cut off in the middle: what came may still say why.
  }
  return Buffer.concat(chunks).subarray(0, maxErrorBytes).toString();
}

function statusIn(text: string): Status | undefined {
  try {
    return Status.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** What a proxy in between says: a line of text helps, a page of HTML does not. */
function plainText(response: Refused, text: string): string | undefined {
  const isText = String(response.headers['content-type']).startsWith('text/plain');
  const [line = ''] = text.trim().split('\n');
  return isText && line ? line.slice(0, 300) : undefined;
}

function retryAfterMsOf(response: Refused, said: Status | undefined): number {
  const seconds = Number(response.headers['retry-after'] ?? said?.details?.retryAfterSeconds ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}

/** The API answers 404 as well where a namespace is missing, or a kind: its words tell them apart. */
function missingStep(message = ''): string | undefined {
  if (message === 'the server could not find the requested resource') {
    return 'want that kind installed in the cluster: for Registries, by reposure operator install';
  }
  const [, namespace] = /^namespaces "([^"]+)" not found$/.exec(message) ?? [];
  return namespace && `make it with kubectl create namespace ${namespace}`;
}

function nextStepOf(status: number, purpose: Purpose, access: Access): string | undefined {
  if (status === 401) {
    return `want a login that the cluster knows: check the user "${access.userName}" in ${access.source} (it may have expired)`;
  }
  if (status === 404 || status >= 500) return purpose.absentStep;
  if (status !== 403) return undefined;
  return (
    purpose.forbiddenStep ??
    "want a role that allows it: ask the cluster's administrator for one (kubectl auth can-i --list shows what there is)"
  );
}

/** What became of a request that got no answer, or half of one. */
export function lossOf(error: unknown, purpose: Purpose, access: Access): ReposureError {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? '';
  const where = `${purpose.action} at ${access.server}`;
  if (isDistrust(code)) {
    return new KubeconfigError(
      `Cannot ${where}: its certificate is not trusted; ` +
        `want the right certificate-authority (or tls-server-name) for cluster "${access.clusterName}" in ${access.source}`,
      { cause: error },
    );
  }
  return new UnreachableError(
    `Cannot ${where}: no answer from the cluster; want one that is up and can be reached from here`,
    { cause: error },
  );
}

/** Node passes on OpenSSL's names. @see https://nodejs.org/docs/latest-v24.x/api/tls.html#x509-certificate-error-codes */
function isDistrust(code: string): boolean {
  return (
    /^(UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)|DEPTH_ZERO|SELF_SIGNED|CERT_|INVALID_CA|HOSTNAME_MISMATCH)/.test(
      code,
    ) || code === 'ERR_TLS_CERT_ALTNAME_INVALID'
  );
}
