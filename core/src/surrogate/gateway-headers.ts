import type { IncomingHttpHeaders } from 'node:http';

import type { RegistryResponse } from '../registry/transport.ts';
import { originFormLink, originFormOf } from './gateway-address.ts';

/** Lists, and not exceptions: a login, a cookie or a hop's own header can only pass by being added. */
const towardsRegistry: ReadonlySet<string> = new Set([
  'accept',
  'content-length',
  'content-range',
  'content-type',
  'if-match',
  'if-none-match',
  'range',
]);

const towardsClient: ReadonlySet<string> = new Set([
  'accept-ranges',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'docker-content-digest',
  'docker-distribution-api-version',
  'docker-upload-uuid',
  'etag',
  'last-modified',
  'oci-chunk-min-length',
  'oci-filters-applied',
  'oci-subject',
  'oci-tag',
  'range',
  'retry-after',
  'warning',
]);

/** The headers of a client's request that go on to the registry. */
export function requestHeadersOf(headers: IncomingHttpHeaders): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || !towardsRegistry.has(name)) continue;
    passed[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return passed;
}

/**
 * The headers of a registry's answer that go on to the client, its addresses made relative.
 *
 * @param path What was asked for, as addresses may be relative to it.
 */
export function responseHeadersOf(
  answer: Pick<RegistryResponse, 'headers' | 'status'>,
  path: string,
): Record<string, string> {
  const passed = Object.fromEntries(
    Object.entries(answer.headers).filter(([name]) => towardsClient.has(name)),
  );
  // RFC 9110, section 8.6: none with 204; HTTP/2 implementations refuse such an answer.
  if (answer.status === 204) delete passed['content-length'];
  const { location, link } = answer.headers;
  const relative = location === undefined ? undefined : originFormOf(location, path);
  if (relative !== undefined) passed['location'] = relative;
  if (link !== undefined) passed['link'] = originFormLink(link, path);
  return passed;
}
