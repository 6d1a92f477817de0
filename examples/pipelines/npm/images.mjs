import { fileURLToPath } from 'node:url';

import {
  buildImage,
  nodePath,
  nodeRuntime,
  nonRoot,
  parsePacking,
  treeOfFolder,
} from '@reposure/core/build';

// Images without a daemon and without a base image: what this machine's Node needs, and folders of
// this project. `pipeline` is this very script, to be run in the cluster: see job.yaml.
const images = {
  hello: { folders: { app: '../../app' }, program: 'app/server.mjs' },
  pipeline: {
    folders: { app: '../../app', 'pipelines/npm': '.' },
    program: 'pipelines/npm/release.mjs',
  },
};

/** Programs, manifests, and what is installed: no archive of the last time, and no .npmrc. */
const isShipped = /\.mjs$|\.yaml$|\/node_modules\/|\/package\.json$/;

/** Builds an image, under a version. Whoever has it closes it. */
export async function build(name, version) {
  const { folders, program } = images[name];
  const { tree: node, platform } = await nodeRuntime('/', process.execPath);
  const layers = [{ tree: node, createdBy: 'Node' }];
  for (const [to, from] of Object.entries(folders)) {
    const folder = fileURLToPath(new URL(from, import.meta.url));
    const tree = await treeOfFolder(folder, `opt/${to}`);
    const shipped = [...tree].filter(([path]) => isShipped.test(path));
    layers.push({ tree: new Map(shipped), createdBy: from });
  }
  return await buildImage([{ platform, layers }], {
    settings: {
      user: `${nonRoot.uid}:${nonRoot.gid}`,
      entrypoint: [`/${nodePath}`, `/opt/${program}`],
      env: { VERSION: version },
      labels: { 'org.opencontainers.image.version': version },
    },
    // A tenth of the time that gzip takes.
    packing: parsePacking('zstd', 1),
  });
}
