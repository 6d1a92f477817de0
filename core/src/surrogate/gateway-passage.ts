import { UnsupportedError } from '../errors.ts';
import type { Method, Transport } from '../registry/transport.ts';
import { withDiffIds } from './diff-id-service.ts';
import { errorAnswer } from './far-error.ts';
import type { GatewayAnswer } from './far-error.ts';
import { servedPathOf } from './gateway-address.ts';
import { requestHeadersOf, responseHeadersOf } from './gateway-headers.ts';

/** What of a request decides whether a gateway serves it. */
export interface Asked {
  readonly method: Method;
  /** Origin form, from `/v2/` on, with its query. */
  readonly path: string;
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE']);

/** Checks the line of a request; what a gateway does not serve it refuses with the answer. */
export function askedOf(request: {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
}): Asked | GatewayAnswer {
  const { method } = request;
  const path = servedPathOf(request.url);
  if (path === undefined) {
    return errorAnswer(404, {
      code: 'UNSUPPORTED',
      message: 'Cannot serve this path; want /v2/ and below, without dot segments',
    });
  }
  return isMethod(method) ? { method, path } : methodRefusal(method, [...methods].join(', '));
}

/** Says which methods are served instead. */
export function methodRefusal(method: string | undefined, wanted: string): GatewayAnswer {
  return errorAnswer(405, {
    code: 'UNSUPPORTED',
    message: `Cannot serve ${method ?? 'this method'} here; want ${wanted}`,
  });
}

function isMethod(method: string | undefined): method is Method {
  return method !== undefined && methods.has(method);
}

/**
 * What every gateway puts in front of its registry: only the headers on its lists pass, addresses
 * are answered in origin form, and layers are unpacked for who asks for their `diffId`.
 *
 * @returns A transport that throws {@link UnsupportedError} for an upload that would leave `/v2/`.
 */
export function passageTo(registry: Transport): Transport {
  const upstream = withDiffIds(registry);
  return async (request) => {
    const answer = await upstream({ ...request, headers: requestHeadersOf(request.headers ?? {}) });
    const headers = responseHeadersOf(answer, request.path);
    if (answer.status === 202 && 'location' in answer.headers && !('location' in headers)) {
      await answer.discard();
      throw new UnsupportedError(
        'Cannot upload through the surrogate: the registry wants the upload outside /v2/',
      );
    }
    return { ...answer, headers };
  };
}
