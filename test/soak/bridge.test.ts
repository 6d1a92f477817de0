import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { digestAt, inside, startRelayedWorld } from '../chaos/relayed-world.ts';
import type { RelayedWorld } from '../chaos/relayed-world.ts';
import { withBridge } from '../e2e/bridge.ts';
import type { BridgedWorld } from '../e2e/bridge.ts';
import { cliScript } from '../support/cli.ts';
import { hasDockerDaemon, startDockerDaemon } from '../support/docker-daemon.ts';
import { makeImages } from '../support/images.ts';
import { hasTool, runProgram } from '../support/tools.ts';
import { watchPeakMemory } from './peak-memory.ts';

const MiB = 1024 * 1024;
const maxBytes = 200_000_000;

let relayed: RelayedWorld;

beforeAll(async () => {
  relayed = await startRelayedWorld();
});

afterAll(() => relayed.close());

const world = (): BridgedWorld => {
  const { env, origin } = relayed;
  return { env, origin, words: [], registry: inside };
};

describe.skipIf(!hasDockerDaemon)('docker push of 512 MiB over a bridge', () => {
  it('ends well, though the exec stream is cut every two seconds', async () => {
    const { directory, toCluster } = relayed;
    const docker = await startDockerDaemon();
    const timer = setInterval(() => toCluster.cut(), 2_000);
    try {
      const line = [
        'head -c 536870912 /dev/urandom > content',
        'tar -cf content.tar content',
        'docker import content.tar $REGISTRY/soak/docker:1',
        'docker push -q $REGISTRY/soak/docker:1',
        "docker image inspect --format '{{index .RepoDigests 0}}' $REGISTRY/soak/docker:1",
      ].join('; ');
      const { status, stdout, stderr } = await withBridge(world(), `cd ${directory}; ${line}`, {
        route: 'exec',
        env: docker.env,
      });
      expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
      const digest = stdout.toString().trim().split('@').at(-1);
      clearInterval(timer);
      expect(await digestAt(relayed.origin, 'soak/docker', '1')).toBe(digest);
      expect(toCluster.cuts).toBeGreaterThan(3);
    } finally {
      clearInterval(timer);
      await docker.close();
    }
  });
});

describe.skipIf(!hasTool('crane', 'skopeo', 'buildah', 'podman'))('twenty pushes at once', () => {
  it.each(['proxy', 'exec'])('by %s are carried in less than 200 MB', async (route) => {
    const { directory, env } = relayed;
    const folder = join(directory, route);
    const { dockerArchive } = await makeImages(folder, 24 * MiB);
    const words = ['bridge', inside, `--route=${route}`, '-o', 'json'];
    const child = spawn(process.execPath, [cliScript, ...words], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [printed] = (await once(child.stdout, 'data')) as [Buffer];
    const bridge = JSON.parse(printed.toString()) as {
      address: string;
      env: Record<string, string>;
    };
    const peaks = watchPeakMemory(`bridge ${inside}`);
    const storing = (tool: string, to: string): string => {
      const storage = `--storage-driver vfs --root ${folder}/${to} --runroot ${folder}/${to}-run`;
      const image = `$(${tool} ${storage} pull -q docker-archive:${dockerArchive})`;
      return `${tool} ${storage} push -q ${image} docker://$REGISTRY/${route}/${to}:1`;
    };
    const archive = `docker-archive:${dockerArchive}`;
    const linesOf = (n: number): string[] => [
      `crane push ${dockerArchive} $REGISTRY/${route}/crane${n}:1`,
      `skopeo copy -q --dest-tls-verify=false ${archive} docker://$REGISTRY/${route}/skopeo${n}:1`,
      storing('buildah', `buildah${n}`),
      storing('podman', `podman${n}`),
    ];
    try {
      const all = Array.from({ length: 5 }, (_, n) => linesOf(n)).flat();
      const done = await Promise.all(
        all.map((line) => runProgram(['sh', '-ec', line], { env: bridge.env })),
      );
      expect(done.map(({ status, stderr }) => (status === 0 ? '' : stderr)).join('')).toBe('');
      expect(peaks.of(`bridge ${inside}`)).toBeGreaterThan(0);
      process.stderr.write(`${route}: ${Math.round(peaks.of(`bridge ${inside}`) / 1e6)} MB\n`);
      expect(peaks.of(`bridge ${inside}`)).toBeLessThan(maxBytes);
    } finally {
      peaks.stop();
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true });
    }
  });
});
