import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import { mediaTypes, parseDigest } from '@reposure/core/oci';
import type { Descriptor } from '@reposure/core/oci';

/** What a manifest under a name is. */
export interface Found {
  readonly digest: string;
  readonly json: { readonly manifests?: readonly Descriptor[]; readonly subject?: Descriptor };
}

const octets = 'application/octet-stream';

/** A repository, looked at and written by plain HTTP: none of the code that is tested. */
export class PlainRepository {
  readonly #url: string;

  /** @param host `host:port` of a registry that speaks plain HTTP. */
  constructor(host: string, repository: string) {
    this.#url = `http://${host}/v2/${repository}`;
  }

  async putBlob(bytes: Uint8Array, mediaType: string = octets): Promise<Descriptor> {
    const begun = await fetch(`${this.#url}/blobs/uploads/`, { method: 'POST' });
    const location = new URL(begun.headers.get('location') ?? '', this.#url);
    const digest = digestOf(bytes);
    location.searchParams.set('digest', digest);
    const headers = { 'content-type': octets };
    const body = new Uint8Array(bytes);
    const { status } = await fetch(location, { method: 'PUT', headers, body });
    if (status !== 201) throw new Error(`PUT of a blob answered ${status}`);
    return { mediaType, digest, size: bytes.byteLength };
  }

  async putManifest(content: object, reference?: string): Promise<Descriptor> {
    const mediaType = 'manifests' in content ? mediaTypes.ociIndex : mediaTypes.ociManifest;
    const body = JSON.stringify({ schemaVersion: 2, mediaType, ...content });
    const digest = digestOf(Buffer.from(body));
    const url = `${this.#url}/manifests/${reference ?? digest}`;
    const headers = { 'content-type': mediaType };
    const { status } = await fetch(url, { method: 'PUT', headers, body });
    if (status !== 201) throw new Error(`PUT of a manifest answered ${status}`);
    return { mediaType, digest, size: body.length };
  }

  /** What a tag or digest names, hashed here; `undefined` if there is no such thing. */
  async find(reference: string): Promise<Found | undefined> {
    const headers = { accept: `${mediaTypes.ociIndex}, ${mediaTypes.ociManifest}` };
    const response = await fetch(`${this.#url}/manifests/${reference}`, { headers });
    const bytes = Buffer.from(await response.arrayBuffer());
    if (response.status === 404) return undefined;
    return { digest: digestOf(bytes), json: JSON.parse(bytes.toString()) as Found['json'] };
  }

  /** What is listed as referring to a digest: by the API, or by the tag in its place. */
  async referrersOf(digest: string): Promise<readonly Descriptor[]> {
    const response = await fetch(`${this.#url}/referrers/${digest}`);
    const text = await response.text();
    const index = response.ok
      ? (JSON.parse(text) as Found['json'])
      : (await this.find(digest.replace(':', '-')))?.json;
    return index?.manifests ?? [];
  }

  async tags(): Promise<readonly string[]> {
    const response = await fetch(`${this.#url}/tags/list`);
    const { tags } = (await response.json()) as { tags?: string[] };
    return (tags ?? []).toSorted();
  }
}

/** An image of two platforms as buildx writes it, with what cosign and oras hang on it. */
export interface SignedImage {
  readonly index: Descriptor;
  /** Of linux/amd64 and linux/arm64. */
  readonly images: readonly Descriptor[];
  /** Of each of them; children of the index. */
  readonly attestations: readonly Descriptor[];
  /** Names the index as its subject. */
  readonly sbom: Descriptor;
  /** Names the SBOM as its subject. */
  readonly sbomSignature: Descriptor;
  /** Under cosign's tags, by suffix; that of the attestation is behind the digest of the first image. */
  readonly cosign: Readonly<Record<'sig' | 'att', Descriptor>>;
}

/** Writes the image into a repository, under a tag. @param layerBytes Of each of its two layers. */
export async function writeSignedImage(
  repository: PlainRepository,
  tag: string,
  layerBytes = 100_000,
): Promise<SignedImage> {
  const images = await Promise.all(
    ['amd64', 'arm64'].map((architecture) => writeImage(repository, architecture, layerBytes)),
  );
  const attestations = await Promise.all(
    images.map((image) => writeAttestation(repository, image)),
  );
  const index = await repository.putManifest({ manifests: [...images, ...attestations] }, tag);
  const sbom = await writeArtifact(repository, 'application/spdx+json', index);
  const sbomSignature = await writeArtifact(
    repository,
    'application/vnd.cncf.notary.signature',
    sbom,
  );
  const [sig, att] = await Promise.all([
    writeCosign(repository, index, 'sig'),
    writeCosign(repository, images[0] ?? index, 'att'),
  ]);
  return { index, images, attestations, sbom, sbomSignature, cosign: { sig, att } };
}

/** An artifact that names its subject; listed by hand where the registry does not do it. */
export async function writeArtifact(
  repository: PlainRepository,
  artifactType: string,
  subject: Descriptor,
): Promise<Descriptor> {
  const config = await repository.putBlob(Buffer.from('{}'), mediaTypes.ociEmpty);
  const layers = [await repository.putBlob(randomBytes(500), artifactType)];
  const { mediaType, digest, size } = subject;
  const written = await repository.putManifest({
    artifactType,
    config,
    layers,
    subject: { mediaType, digest, size },
  });
  const listed = await repository.referrersOf(digest);
  if (!listed.some((entry) => entry.digest === written.digest)) {
    const manifests = [...listed, { ...written, artifactType }];
    await repository.putManifest({ manifests }, digest.replace(':', '-'));
  }
  return written;
}

async function writeImage(
  repository: PlainRepository,
  architecture: string,
  layerBytes: number,
): Promise<Descriptor> {
  const tars = ['app', 'data'].map((name) => tarOf(name, randomBytes(layerBytes)));
  const diffIds = tars.map(digestOf);
  const layers = await Promise.all(
    tars.map((tar) => repository.putBlob(gzipSync(tar, { level: 1 }), mediaTypes.ociLayerGzip)),
  );
  const platform = { os: 'linux', architecture };
  const config = { ...platform, config: {}, rootfs: { type: 'layers', diff_ids: diffIds } };
  const written = await repository.putManifest({
    config: await repository.putBlob(Buffer.from(JSON.stringify(config)), mediaTypes.ociConfig),
    layers,
  });
  return { ...written, platform };
}

/** @see https://github.com/moby/buildkit/blob/v0.16.0/docs/attestations/attestation-storage.md */
async function writeAttestation(
  repository: PlainRepository,
  image: Descriptor,
): Promise<Descriptor> {
  const layers = [await repository.putBlob(randomBytes(300), 'application/vnd.in-toto+json')];
  const diffIds = layers.map(({ digest }) => digest);
  const platform = { os: 'unknown', architecture: 'unknown' };
  const config = { ...platform, config: {}, rootfs: { type: 'layers', diff_ids: diffIds } };
  const written = await repository.putManifest({
    config: await repository.putBlob(Buffer.from(JSON.stringify(config)), mediaTypes.ociConfig),
    layers,
  });
  const annotations = {
    'vnd.docker.reference.type': 'attestation-manifest',
    'vnd.docker.reference.digest': image.digest,
  };
  return { ...written, platform, annotations };
}

/** @see https://github.com/sigstore/cosign/blob/v2.4.1/specs/SIGNATURE_SPEC.md */
async function writeCosign(
  repository: PlainRepository,
  subject: Descriptor,
  suffix: string,
): Promise<Descriptor> {
  const payload = Buffer.from(JSON.stringify({ critical: { image: subject.digest }, suffix }));
  const config = await repository.putBlob(
    Buffer.from(JSON.stringify({ suffix })),
    mediaTypes.ociConfig,
  );
  const layer = await repository.putBlob(
    payload,
    'application/vnd.dev.cosign.simplesigning.v1+json',
  );
  const annotations = { 'dev.cosignproject.cosign/signature': 'MEUCIQ==' };
  return await repository.putManifest(
    { config, layers: [{ ...layer, annotations }] },
    `${subject.digest.replace(':', '-')}.${suffix}`,
  );
}

function digestOf(bytes: Uint8Array): Descriptor['digest'] {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
}

/** One file, in the format of POSIX.1-1988. */
function tarOf(name: string, content: Uint8Array): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, digits: number): string =>
    `${value.toString(8).padStart(digits, '0')}\0`;
  header.write(name, 0);
  header.write(octal(0o644, 7) + octal(0, 7) + octal(0, 7), 100);
  header.write(octal(content.byteLength, 11) + octal(0, 11), 124);
  header.write('        0', 148);
  header.write('ustar\u000000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)} `, 148);
  const padding = Buffer.alloc((512 - (content.byteLength % 512)) % 512);
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)]);
}
