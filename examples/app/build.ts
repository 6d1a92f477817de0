import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { buildImage, nodePath, nodeRuntime, nonRoot, parsePacking } from '@reposure/core/build';
import type { LayerTree } from '@reposure/core/build';
import { openSink, storeImage } from '@reposure/core/content';

// Builds the sample application without a daemon and without a base image: of a root file system with
// Node (by default this machine's, with the Node that runs this) only what Node needs, and the one file
// of the application.
const { values } = parseArgs({
  options: {
    version: { type: 'string', default: '1' },
    fails: { type: 'string' },
    rootfs: { type: 'string', default: '/' },
    to: { type: 'string', default: 'oci-archive:hello.tar' },
  },
});
const { version, fails, rootfs, to } = values;
const { tree, platform } = await nodeRuntime(rootfs, rootfs === '/' ? process.execPath : undefined);
const program = await readFile(new URL('server.mjs', import.meta.url));
const application: LayerTree = new Map([
  [
    'opt/hello/server.mjs',
    {
      type: 'File',
      size: program.byteLength,
      read: async function* read() {
        yield program;
      },
    },
  ],
]);
const image = await buildImage(
  [
    {
      platform,
      layers: [
        { tree, createdBy: 'Node' },
        { tree: application, createdBy: 'the sample application' },
      ],
    },
  ],
  {
    settings: {
      user: `${nonRoot.uid}:${nonRoot.gid}`,
      entrypoint: [`/${nodePath}`, '/opt/hello/server.mjs'],
      env: { VERSION: version, ...(fails === undefined ? {} : { FAILS: fails }) },
      labels: { 'org.opencontainers.image.version': version },
    },
    annotations: {},
    created: '1970-01-01T00:00:00Z',
    packing: parsePacking('gzip', 1),
  },
);
try {
  await storeImage(image, await openSink(to, { stdout: process.stdout }), {
    name: `hello:${version}`,
  });
  process.stderr.write(`Built hello ${version} in ${to}\n`);
} finally {
  await image.close();
}
