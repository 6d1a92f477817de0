import { streamOf } from '../bytes.ts';
import { diffIdOf } from '../content/diff-id.ts';
import type { UnpackedLayer } from '../content/diff-id.ts';
import { isDigest } from '../oci/index.ts';
import type { Digest } from '../oci/index.ts';
import { RegistryClient } from '../registry/index.ts';
import type { RegistryResponse, Transport } from '../registry/transport.ts';
import { errorAnswer } from './far-error.ts';
import type { GatewayAnswer } from './far-error.ts';
import { Places } from './places.ts';

/** One layer that somebody asks about. */
interface Question {
  readonly repository: string;
  readonly digest: Digest;
  readonly signal: AbortSignal | undefined;
}

/** No repository has a name with `_` at the beginning of a component. */
const pattern = /^\/v2\/(.+)\/_reposure\/diff-ids\/([^/?]+)$/;
/** Of some 300 bytes each. */
const maxRemembered = 4096;
/** Each keeps a CPU busy, and what uploads and downloads meanwhile needs one, too. */
const maxAtOnce = 2;

/** The path that asks for the `diffId` of a layer: our extension of the distribution API. */
export function diffIdPath(repository: string, digest: Digest): string {
  return `/v2/${repository}/_reposure/diff-ids/${digest}`;
}

/** Whether a path asks for what is work for the surrogate itself. */
export function isDiffIdPath(path: string): boolean {
  return pattern.test(path);
}

/**
 * Adds an answer to `GET /v2/<name>/_reposure/diff-ids/<digest>`: a JSON object with `digest`,
 * `diffId`, `size` and `compression`, found by reading the layer once and unpacking it.
 *
 * A config in the registry says the same, but as a claim of whoever pushed it: by a false one they
 * would put their layer into the images of others.
 */
export function withDiffIds(upstream: Transport): Transport {
  const layers = new Layers(upstream);
  return async (request) => {
    const [, repository, digest = ''] = pattern.exec(request.path) ?? [];
    if (repository === undefined || !isDigest(digest)) return await upstream(request);
    if (request.method !== 'GET') return responseOf(onlyGet);
    const layer = await layers.ask({ repository, digest, signal: request.signal });
    return responseOf(layer ? found(digest, layer) : notThere(digest));
  };
}

/** What layers of one registry unpack to, the last ones remembered. */
class Layers {
  readonly #client: RegistryClient;
  readonly #places = new Places(maxAtOnce);
  readonly #known = new Map<Digest, UnpackedLayer>();

  constructor(upstream: Transport) {
    this.#client = new RegistryClient(upstream);
  }

  /** @returns `undefined` for a layer that the repository does not have. */
  async ask({ repository, digest, signal }: Question): Promise<UnpackedLayer | undefined> {
    // Also for one that is known: it may be another repository's, or deleted.
    const size = await this.#client.statBlob(repository, digest, signal);
    if (size === undefined) return undefined;
    const place = await this.#places.take(signal);
    try {
      const layer =
        this.#known.get(digest) ?? (await this.#unpack(repository, digest, { size, signal }));
      this.#remember(digest, layer);
      return layer;
    } finally {
      place.free();
    }
  }

  async #unpack(
    repository: string,
    digest: Digest,
    { size, signal }: { readonly size: number; readonly signal: AbortSignal | undefined },
  ): Promise<UnpackedLayer> {
    const bytes = await this.#client.openBlob(repository, { digest, size }, { signal });
    return await diffIdOf(bytes, size, digest);
  }

  /** The one that was asked for last is forgotten last. */
  #remember(digest: Digest, layer: UnpackedLayer): void {
    this.#known.delete(digest);
    this.#known.set(digest, layer);
    const [oldest] = this.#known.keys();
    if (this.#known.size > maxRemembered && oldest) this.#known.delete(oldest);
  }
}

const onlyGet = errorAnswer(405, {
  code: 'UNSUPPORTED',
  message: 'Cannot do this with the diffId of a layer; want GET',
});

function notThere(digest: Digest): GatewayAnswer {
  return errorAnswer(404, {
    code: 'BLOB_UNKNOWN',
    message: `Cannot find ${digest} in this repository`,
  });
}

function found(digest: Digest, layer: UnpackedLayer): GatewayAnswer {
  const body = Buffer.from(`${JSON.stringify({ digest, ...layer })}\n`);
  const headers = {
    'content-type': 'application/json',
    'content-length': String(body.byteLength),
  };
  return { status: 200, headers, body };
}

function responseOf({ status, headers, body }: GatewayAnswer): RegistryResponse {
  return { status, headers, body: streamOf(body), discard: async () => {} };
}
