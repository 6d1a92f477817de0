import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { buildImage, nodePath, nodeRuntime, nonRoot, parsePacking } from '@reposure/core/build';
import { directTransport } from '@reposure/core/registry';
import { push } from '@reposure/core/transfer';
import { startRegistry } from '@reposure/local/registry';

/** A stand-in for Docker Hub, which has one image. */
export interface NodeMirror {
  /** `host:port`, plain HTTP. */
  readonly host: string;
  /** That builders of containers take it for `docker.io`. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/**
 * Serves `docker.io/library/node:24-slim`, as far as it is needed, to tools that know mirrors: of this
 * machine's own Node, for two platforms that both have the program of this one.
 */
export async function startNodeMirror(folder: string): Promise<NodeMirror> {
  const registry = await startRegistry({ directory: join(folder, 'mirror') });
  const { tree, platform } = await nodeRuntime('/', process.execPath);
  const layers = [{ tree, createdBy: 'Node' }];
  const { os } = platform;
  const targets = ['amd64', 'arm64'].map((architecture) => ({
    platform: { os, architecture },
    layers,
  }));
  const image = await buildImage(targets, {
    settings: {
      user: `${nonRoot.uid}:${nonRoot.gid}`,
      entrypoint: [`/${nodePath}`],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
      labels: {},
    },
    packing: parsePacking('gzip', 1),
  });
  const request = directTransport({ host: registry.host, insecure: true });
  const route = { via: 'direct', reason: 'a test', request, close: async () => {} } as const;
  try {
    await push(route, image, { repository: 'library/node', tags: ['24-slim'] });
  } finally {
    await image.close();
    await request.close();
  }
  const conf = join(folder, 'registries.conf');
  await writeFile(conf, mirrored(registry.host));
  return {
    host: registry.host,
    env: { CONTAINERS_REGISTRIES_CONF: conf },
    close: () => registry.close(),
  };
}

function mirrored(host: string): string {
  return `[[registry]]\nprefix = "docker.io"\nlocation = "${host}"\ninsecure = true\n`;
}
