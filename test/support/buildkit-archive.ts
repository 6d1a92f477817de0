import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { create } from 'tar';

/** An archive that lies somewhere, and what must come out of a registry again. */
export interface BuildkitArchive {
  readonly path: string;
  /** Of the index. */
  readonly digest: string;
  /** Of everything in it, sorted. */
  readonly digests: readonly string[];
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: object;
  readonly annotations?: Record<string, string>;
}

const oci = 'application/vnd.oci.image';

/**
 * Writes what `docker buildx build --platform=linux/amd64,linux/arm64 --provenance=true
 * --output=type=oci,dest=FILE` writes: an index whose attestation manifests stand among the platforms,
 * as `unknown/unknown`, each naming the manifest that it attests.
 *
 * @see https://github.com/moby/buildkit/blob/v0.25.1/docs/attestations/attestation-storage.md
 */
export async function writeBuildkitArchive(path: string): Promise<BuildkitArchive> {
  const folder = join(dirname(path), 'buildkit');
  const blobs = new Map<string, Buffer>();
  const put = (content: Buffer, mediaType: string): Descriptor => {
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    blobs.set(digest, content);
    return { mediaType, digest, size: content.byteLength };
  };
  const json = (value: object, mediaType: string, more: object = {}): Descriptor => ({
    ...put(Buffer.from(JSON.stringify(value)), mediaType),
    ...more,
  });
  const images = ['amd64', 'arm64'].map((architecture) => {
    const tar = Buffer.alloc(1024, 0);
    const config = {
      architecture,
      os: 'linux',
      rootfs: {
        type: 'layers',
        diff_ids: [`sha256:${createHash('sha256').update(tar).digest('hex')}`],
      },
    };
    const manifest = {
      schemaVersion: 2,
      mediaType: `${oci}.manifest.v1+json`,
      config: json(config, `${oci}.config.v1+json`),
      layers: [put(gzipSync(tar), `${oci}.layer.v1.tar+gzip`)],
    };
    return json(manifest, `${oci}.manifest.v1+json`, { platform: { architecture, os: 'linux' } });
  });
  const attestations = images.map(({ digest }) => {
    const statement = {
      _type: 'https://in-toto.io/Statement/v0.1',
      predicateType: 'https://slsa.dev/provenance/v0.2',
      subject: [{ name: '_', digest: { sha256: digest.slice('sha256:'.length) } }],
    };
    const layer = {
      ...json(statement, 'application/vnd.in-toto+json'),
      annotations: { 'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v0.2' },
    };
    const config = {
      architecture: 'unknown',
      os: 'unknown',
      config: {},
      rootfs: { type: 'layers', diff_ids: [layer.digest] },
    };
    const manifest = {
      schemaVersion: 2,
      mediaType: `${oci}.manifest.v1+json`,
      config: json(config, `${oci}.config.v1+json`),
      layers: [layer],
    };
    return json(manifest, `${oci}.manifest.v1+json`, {
      annotations: {
        'vnd.docker.reference.digest': digest,
        'vnd.docker.reference.type': 'attestation-manifest',
      },
      platform: { architecture: 'unknown', os: 'unknown' },
    });
  });
  const index = {
    schemaVersion: 2,
    mediaType: `${oci}.index.v1+json`,
    manifests: [...images, ...attestations],
  };
  const root = json(index, `${oci}.index.v1+json`);
  const annotations = { 'org.opencontainers.image.created': '2026-01-01T00:00:00Z' };
  const layout = { schemaVersion: 2, manifests: [{ ...root, annotations }] };
  await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true });
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(folder, 'index.json'), JSON.stringify(layout));
  for (const [digest, content] of blobs) {
    await writeFile(join(folder, 'blobs', ...digest.split(':')), content);
  }
  await create({ file: path, cwd: folder }, ['blobs', 'index.json', 'oci-layout']);
  return { path, digest: root.digest, digests: [...blobs.keys()].toSorted() };
}
