import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { NodeMirror } from './node-mirror.ts';
import { tool } from './tools.ts';

/** What BuildKit builds, and where it takes base images from. */
export interface BuildkitBuild {
  readonly context: string;
  readonly version: string;
  readonly to: string;
  /** For what it keeps meanwhile. */
  readonly folder: string;
  readonly mirror: NodeMirror;
}

/**
 * Builds as docker/build-push-action has it done: with a Containerfile, to an OCI archive, with the
 * provenance that it adds by default.
 */
export async function buildWithBuildkit(build: BuildkitBuild): Promise<void> {
  const { context, version, to } = build;
  const address = `unix://${join(build.folder, 'buildkit.sock')}`;
  const daemon = await startDaemon(build, address);
  try {
    const files = ['--local', `context=${context}`, '--local', `dockerfile=${context}`];
    const options = ['filename=Containerfile', `build-arg:VERSION=${version}`];
    const given = [...options, 'attest:provenance=mode=min'].flatMap((text) => ['--opt', text]);
    const words = ['build', '--frontend', 'dockerfile.v0', ...files, ...given];
    await tool('buildctl', '--addr', address, ...words, '--output', `type=oci,dest=${to}`);
  } finally {
    daemon.kill('SIGTERM');
    await once(daemon, 'close');
  }
}

async function startDaemon(
  { folder, mirror }: BuildkitBuild,
  address: string,
): Promise<ReturnType<typeof spawn>> {
  const config = join(folder, 'buildkitd.toml');
  await writeFile(config, configOf(folder, address, mirror.host));
  const daemon = spawn('buildkitd', ['--config', config], { stdio: 'ignore' });
  const isUp = async (): Promise<boolean> => {
    if (daemon.exitCode !== null) throw new Error(`buildkitd ended with ${daemon.exitCode}`);
    return tool('buildctl', '--addr', address, 'debug', 'workers').then(
      () => true,
      () => false,
    );
  };
  while (!(await isUp()));
  return daemon;
}

function configOf(folder: string, address: string, host: string): string {
  return `root = "${join(folder, 'buildkit')}"
[grpc]
  address = ["${address}"]
[worker.containerd]
  enabled = false
[worker.oci]
  snapshotter = "native"
[registry."docker.io"]
  mirrors = ["${host}"]
[registry."${host}"]
  http = true
`;
}
