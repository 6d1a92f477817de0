import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { digestOf, mediaTypes } from '@reposure/core/oci';
import type { Digest } from '@reposure/core/oci';

import { startRegistry } from '../server.ts';
import type { RunningRegistry, StartRegistryOptions } from '../server.ts';

/** A registry on a folder of its own, for a test; disposing of it ends the one and removes the other. */
export interface Fixture extends AsyncDisposable {
  readonly directory: string;
  readonly registry: RunningRegistry;
  /** `fetch` of a path of this registry. */
  readonly send: (method: string, path: string, init?: RequestInit) => Promise<Response>;
  /** Ends the registry and starts it again, on the same folder. */
  readonly restart: () => Promise<void>;
}

/** Starts a registry for a test. */
export async function startFixture(options: Partial<StartRegistryOptions> = {}): Promise<Fixture> {
  const directory = await mkdtemp(join(tmpdir(), 'reposure-registry-'));
  const start = (): Promise<RunningRegistry> => startRegistry({ directory, ...options });
  let registry = await start().catch(async (error: unknown) => {
    await rm(directory, { recursive: true, force: true });
    throw error;
  });
  return {
    directory,
    get registry() {
      return registry;
    },
    send: (method, path, init) => fetch(`http://${registry.host}${path}`, { ...init, method }),
    restart: async () => {
      await registry.close();
      registry = await start();
    },
    [Symbol.asyncDispose]: async () => {
      await registry.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Pushes a blob in one request. */
export async function pushBlob(
  { send }: Fixture,
  repository: string,
  content: string | Buffer<ArrayBuffer>,
): Promise<Digest> {
  const digest = digestOf(content);
  const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`;
  const { status } = await send('POST', path, { body: content });
  if (status !== 201) throw new Error(`the blob was answered with ${status}`);
  return digest;
}

/** Pushes an image of one layer, under a tag or its digest. */
export async function pushImage(
  fixture: Fixture,
  repository: string,
  tag?: string,
  more: object = {},
): Promise<Digest> {
  const config = await pushBlob(fixture, repository, '{}');
  const layer = await pushBlob(fixture, repository, 'a layer');
  const manifest = manifestOf(config, layer, more);
  const path = `/v2/${repository}/manifests/${tag ?? digestOf(manifest)}`;
  const { status } = await fixture.send('PUT', path, manifestInit(manifest));
  if (status !== 201) throw new Error(`the manifest was answered with ${status}`);
  return digestOf(manifest);
}

/** The text of a manifest of one layer. */
export function manifestOf(config: Digest, layer: Digest, more: object = {}): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: config, size: 2 },
    layers: [{ mediaType: mediaTypes.ociLayer, digest: layer, size: 7 }],
    ...more,
  });
}

/** What a `PUT` of a manifest takes. */
export function manifestInit(body: string, type: string = mediaTypes.ociManifest): RequestInit {
  return { body, headers: { 'Content-Type': type } };
}

/** The code of the first error that a registry answered with. */
export async function codeOf(response: Response): Promise<string | undefined> {
  const { errors } = (await response.json()) as { errors: { code: string; message: string }[] };
  return errors[0]?.code;
}
