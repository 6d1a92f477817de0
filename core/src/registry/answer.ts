import * as z from 'zod';

import type { ByteStream } from '../bytes.ts';
import { AuthenticationError, RegistryError } from './registry-error.ts';
import type { Diagnostic } from './registry-error.ts';
import { requestLine } from './request-line.ts';
import type { RegistryRequest, RegistryResponse, Transport } from './transport.ts';

const maxErrorBytes = 64 * 1024;
const maxDiagnostics = 10;
const maxMessageLength = 500;
const maxRetryAfterMs = 60_000;

const ErrorBody = z.object({
  errors: z.array(
    z.object({
      code: z.coerce.string(),
      message: z.string().optional(),
      detail: z.unknown().optional(),
    }),
  ),
});

/**
 * Sends a request and lets only the answers pass that its caller can use.
 *
 * @param wanted The statuses that are let through.
 * @throws {AuthenticationError} on any other 401 or 403.
 * @throws {RegistryError} on any other status.
 */
export async function ask(
  transport: Transport,
  request: RegistryRequest,
  wanted: readonly number[],
): Promise<RegistryResponse> {
  const response = await transport(request);
  if (wanted.includes(response.status)) return response;
  throw await failureOf(requestLine(request), response);
}

/**
 * Reads what a registry says of a failure, and makes an error of it.
 *
 * @param line What was asked, as {@link requestLine} has it.
 */
export async function failureOf(
  line: string,
  response: RegistryResponse,
): Promise<RegistryError | AuthenticationError> {
  const diagnostics = await diagnosticsOf(response);
  const { status } = response;
  if (status === 401 || status === 403) {
    const message = `Cannot ${line}: the registry answered ${status}; want a login that may do this`;
    return new AuthenticationError(message, { status, diagnostics });
  }
  const retryAfterMs = retryAfterMsOf(response.headers['retry-after']);
  return new RegistryError(line, status, diagnostics, { retryAfterMs });
}

async function diagnosticsOf(response: RegistryResponse): Promise<readonly Diagnostic[]> {
  // The failure is what matters: a body that breaks off must not hide it.
  const text = await readStart(response).catch(() => '');
  if (/^text\/plain\b/i.test(response.headers['content-type'] ?? '') && !text.startsWith('{')) {
    const message = printable(text);
    return message ? [{ code: 'UNKNOWN', message }] : [];
  }
  const parsed = ErrorBody.safeParse(jsonOf(text));
  if (!parsed.success) return [];
  return parsed.data.errors.slice(0, maxDiagnostics).map(cleaned);
}

function cleaned({
  code,
  message = '',
  detail,
}: z.infer<typeof ErrorBody>['errors'][number]): Diagnostic {
  const said = { code: printable(code), message: printable(reasonOf(message, detail)) };
  return detail === undefined || detail === null ? said : { ...said, detail };
}

/**
 * Distribution says of a full disk no more than "unknown error", and the system's words in the
 * detail. The paths in it are not for everybody: they name the upload.
 */
function reasonOf(message: string, detail: unknown): string {
  if (message !== 'unknown error' || typeof detail !== 'string') return message;
  return `${message}: ${detail.replaceAll(/\/[^\s:]*/g, '…')}`;
}

async function readStart(response: RegistryResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  try {
    await collectStart(response.body, chunks);
  } finally {
    await response.discard();
  }
  return Buffer.concat(chunks).subarray(0, maxErrorBytes).toString('utf8');
}

async function collectStart(body: ByteStream, chunks: Uint8Array[]): Promise<void> {
  let size = 0;
  for await (const chunk of body) {
    chunks.push(Buffer.from(chunk));
    size += chunk.byteLength;
    if (size >= maxErrorBytes) return;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// What a registry writes ends up on a terminal: no escape sequences, no flood.
function printable(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
    .slice(0, maxMessageLength);
}

// Capped: a registry must not be able to put a client to sleep for good.
function retryAfterMsOf(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), maxRetryAfterMs) : undefined;
}
