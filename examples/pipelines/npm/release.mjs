import { fileURLToPath } from 'node:url';

import { openRegistry } from '@reposure/core/client';
import { deploy, pinOf, readManifests } from '@reposure/core/deploy';
import { openCluster } from '@reposure/core/kubernetes';

import { build } from './images.mjs';

// Builds, pushes, deploys, and ends when the new version answers: on this machine, and inside the
// cluster, where the registry is reached directly.
const version = process.env.npm_package_version ?? process.env.VERSION;
const manifests = fileURLToPath(new URL('../../app/k8s', import.meta.url));
const tell = (line) => process.stderr.write(`${line}\n`);
const log = { debug: () => {}, info: tell, warn: tell };

const cluster = await openCluster({ kubeconfig: process.env.KUBECONFIG });
const registry = await openRegistry(cluster, 'default', { log });
const image = await build('hello', version);
try {
  const pushed = await registry.push(image, `team/hello:${version}`, { tags: ['latest'] });
  log.info(`Pushed ${pushed.digest} by ${pushed.route.via}: ${pushed.route.reason}`);
  const deployed = await deploy(cluster, await readManifests([manifests]), {
    namespace: cluster.namespace,
    images: [pinOf('hello', pushed)],
    rollback: true,
    log,
  });
  for (const { kind, name, change } of deployed.objects) log.info(`${kind} ${name} ${change}`);
} finally {
  await image.close();
  await registry.close();
  cluster.close();
}
