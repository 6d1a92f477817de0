import type { OpenSourceOptions, Source } from '../content/index.ts';
import { openSource } from '../content/open-source.ts';
import { InputError } from '../errors.ts';
import { registrySource } from './registry-source.ts';
import type { RemoteOptions } from './remote-repository.ts';
import { isRemote, parseRemote, remoteRoute } from './remote-route.ts';
import type { RemoteAccess } from './remote-route.ts';

/** What opening an image takes besides its place. */
export interface OpenImageOptions
  extends OpenSourceOptions, Pick<RemoteOptions, 'retries' | 'stallTimeoutMs' | 'onProgress'> {
  /** How the registry of `docker://…` is reached. */
  readonly access?: RemoteAccess | undefined;
}

/**
 * Opens an image that lies anywhere: `docker://HOST/REPOSITORY[:tag][@digest]`, or what
 * {@link openSource} takes. Whoever opens it closes it, and with it the way to the registry.
 *
 * @throws {NotFoundError} if there is nothing.
 * @throws {SourceError} if the registry fails, after the retries.
 * @throws as {@link openSource}
 */
export async function openImage(text: string, options: OpenImageOptions = {}): Promise<Source> {
  if (!isRemote(text)) return await openSource(text, options);
  refuseChanges(text, options);
  const { registry, ...target } = parseRemote(text);
  const route = await remoteRoute(registry, { log: options.log, ...options.access });
  try {
    const prefix = `docker://${registry}/`;
    const source = await registrySource(route, target, { ...options, prefix });
    return {
      root: source.root,
      description: source.description,
      names: source.names,
      read: (descriptor, how) => source.read(descriptor, how),
      close: async () => {
        await source.close();
        await route.close();
      },
    };
  } catch (error) {
    await route.close();
    throw error;
  }
}

/** What a registry holds keeps its digests; only what is here unpacked is put together anew. */
function refuseChanges(text: string, options: OpenImageOptions): void {
  const { name, compression, compressionLevel, annotations, artifactType } = options;
  const asked = { name, compression, compressionLevel, annotations, artifactType };
  const [option] = Object.entries(asked).find(([, value]) => value !== undefined) ?? [];
  if (option === undefined) return;
  throw new InputError(
    `Cannot give ${text} another ${described[option] ?? option}: an image in a registry keeps its digest; leave it out`,
  );
}

const described: Readonly<Record<string, string>> = {
  compressionLevel: 'compression level',
  artifactType: 'artifact type',
};
