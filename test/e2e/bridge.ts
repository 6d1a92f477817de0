import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { buildImage, parsePacking } from '@reposure/core/build';
import type { LayerTree } from '@reposure/core/build';
import { openSink, storeImage } from '@reposure/core/content';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { digestAt } from '../chaos/relayed-world.ts';
import { reposure } from '../support/cli.ts';
import { hasDockerDaemon, startDockerDaemon } from '../support/docker-daemon.ts';
import type { DockerDaemon } from '../support/docker-daemon.ts';
import { hasTool } from '../support/tools.ts';
import type { Finished } from '../support/tools.ts';

/** A cluster with a registry, and the way that does not lead through us. */
export interface BridgedWorld {
  readonly env: Record<string, string>;
  /** Before every command: `-n`, and what else there is. */
  readonly words: readonly string[];
  readonly registry: string;
  /** `ADDRESS:PORT` */
  readonly origin: string;
}

/** Runs a line of a shell with a bridge. */
export async function withBridge(
  world: BridgedWorld,
  line: string,
  options: { readonly route?: string; readonly env?: Record<string, string> } = {},
): Promise<Finished> {
  const { route = 'auto', env = {} } = options;
  const words = [...world.words, 'bridge', 'exec', world.registry, `--route=${route}`];
  return await reposure([...words, '--', 'sh', '-ec', line], { env: { ...world.env, ...env } });
}

/** Writes an image of three layers that nobody has, as a layout and as an archive. @returns Its digest. */
async function writeImage(folder: string): Promise<string> {
  const layers = ['base', 'library', 'app'].map((name) => {
    const content = randomBytes(1024 * 1024);
    const read = async function* read(): AsyncGenerator<Uint8Array, void> {
      yield content;
    };
    const tree: LayerTree = new Map([
      [name, { type: 'File', mode: 0o644, size: content.byteLength, read }],
    ]);
    return { tree, createdBy: 'a test' };
  });
  const platform = { os: 'linux', architecture: 'amd64' };
  const image = await buildImage([{ platform, layers }], {
    settings: { user: '0:0', entrypoint: ['/app'], env: {}, labels: {} },
    annotations: {},
    created: '1970-01-01T00:00:00Z',
    packing: parsePacking(),
  });
  try {
    await storeImage(image, await openSink(`oci:${join(folder, 'layout')}`));
    const archive = `docker-archive:${join(folder, 'app.tar')}`;
    await storeImage(image, await openSink(archive), { name: 'localhost/app:1' });
    return image.root.digest;
  } finally {
    await image.close();
  }
}

/** How a tool works with an image of the folder that it is in. */
interface ToolLines {
  readonly prepare?: string;
  /** To `$TO`. */
  readonly push: string;
  /** `$PLAIN` for a registry that speaks plain HTTP, and of which nobody has told the tool. */
  readonly plain: string;
  /** From `$IMAGE`. */
  readonly pull: string;
}

const skopeo = 'skopeo copy -q --preserve-digests';
const storing = (tool: string): ToolLines => ({
  prepare: `${tool} $STORAGE pull -q docker-archive:app.tar`,
  push: `${tool} $STORAGE push -q $PLAIN localhost/app:1 docker://$TO`,
  plain: '--tls-verify=false',
  pull: `${tool} $STORAGE rmi -a -f; ${tool} $STORAGE pull -q $IMAGE`,
});
const tools: Readonly<Record<string, ToolLines>> = {
  crane: {
    push: 'crane push $PLAIN layout $TO',
    plain: '--insecure',
    pull: 'crane pull --format=oci $IMAGE back',
  },
  // It reads no settings of which the environment can tell it.
  skopeo: {
    push: `${skopeo} --dest-tls-verify=false oci:layout docker://$TO`,
    plain: '',
    pull: `${skopeo} --src-tls-verify=false docker://$IMAGE oci:back:1`,
  },
  oras: {
    push: 'oras cp --no-tty $PLAIN --from-oci-layout layout@$DIGEST $TO',
    plain: '--to-plain-http',
    pull: 'oras cp --no-tty --to-oci-layout $IMAGE back:1',
  },
  buildah: storing('buildah'),
  podman: storing('podman'),
};

/** The tools that people have, without a word to them of what they push to. */
export function describeBridge(name: string, world: () => BridgedWorld): void {
  describe(`a bridge, ${name}`, { timeout: 120_000 }, () => {
    let folder: string;
    let digest: string;
    let docker: DockerDaemon | undefined;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'bridged-'));
      digest = await writeImage(folder);
      if (hasDockerDaemon) docker = await startDockerDaemon(world().origin);
    });

    afterAll(async () => {
      await docker?.close();
      await rm(folder, { recursive: true, force: true });
    });

    const run = async (
      tool: string,
      line: string,
      more: Record<string, string> = {},
    ): Promise<Finished> => {
      const work = join(folder, tool);
      const storage = `--storage-driver vfs --root ${work}-root --runroot ${work}-run`;
      const names = `IMAGE=$REGISTRY/e2e/${tool}:1; STRAIGHT=${world().origin}/e2e/straight-${tool}:1`;
      return await withBridge(world(), `cd ${folder}; ${names}; ${line}`, {
        env: { STORAGE: storage, DIGEST: digest, HOME: folder, ...more },
      });
    };

    for (const [tool, { prepare = 'true', push, plain, pull }] of Object.entries(tools)) {
      it.skipIf(!hasTool(tool))(`is pushed to and pulled from by ${tool}`, async () => {
        const { origin } = world();
        const straight = `TO=$STRAIGHT; PLAIN=${plain}; ${push}`;
        const line = `${prepare}; TO=$IMAGE; PLAIN=; ${push}; rm -rf back; ${straight}; ${pull}`;
        const { status, stderr } = await run(tool, line);
        expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
        const pushed = await digestAt(origin, `e2e/${tool}`, '1');
        const straightly = await digestAt(origin, `e2e/straight-${tool}`, '1');
        // Those with a storage of their own pack the layers anew.
        const expected = prepare === 'true' ? digest : straightly;
        expect([pushed, straightly]).toEqual([expected, expected]);
        expect(stderr).toMatch(new RegExp(`Pushed e2e/${tool}:1; .*/e2e/${tool}@${pushed}`));
      });
    }

    it.skipIf(!hasDockerDaemon)('is pushed to and pulled from by docker', async () => {
      const line = [
        'docker load -q -i app.tar',
        'docker tag localhost/app:1 $IMAGE',
        'docker push -q $IMAGE',
        'docker tag localhost/app:1 $STRAIGHT',
        'docker push -q $STRAIGHT',
        'docker rmi -f $IMAGE localhost/app:1',
        'docker pull -q $IMAGE',
        "docker image inspect --format '{{index .RepoDigests 0}}' $IMAGE",
      ].join('; ');
      const { status, stdout, stderr } = await run('docker', line, docker?.env);
      expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
      const pulled = stdout.toString().trim().split('@').at(-1);
      for (const each of ['docker', 'straight-docker'])
        expect(await digestAt(world().origin, `e2e/${each}`, '1')).toBe(pulled);
    });

    it.skipIf(!hasTool('helm'))('is pushed to and pulled from by helm', async () => {
      const line = [
        'helm create chart >/dev/null',
        'helm package -d . chart >/dev/null',
        'helm push chart-0.1.0.tgz oci://$REGISTRY/e2e',
        `helm push --plain-http chart-0.1.0.tgz oci://${world().origin}/e2e/straight`,
        'mkdir pulled',
        'helm pull --plain-http --destination pulled oci://$REGISTRY/e2e/chart --version 0.1.0',
        'cmp chart-0.1.0.tgz pulled/chart-0.1.0.tgz',
      ].join('; ');
      const { status, stderr } = await run('helm', line);
      expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
      const pushed = await digestAt(world().origin, 'e2e/chart', '0.1.0');
      expect(await digestAt(world().origin, 'e2e/straight/chart', '0.1.0')).toBe(pushed);
      expect(stderr).toContain(`/e2e/chart@${pushed}`);
    });

    it.skipIf(!hasTool('ko', 'go', 'crane'))(
      'is pushed to by ko, which pulls its base image',
      async () => {
        const module = join(folder, 'module');
        await mkdir(module);
        await writeFile(join(module, 'go.mod'), 'module example.com/hello\n');
        await writeFile(
          join(module, 'main.go'),
          'package main\nfunc main() { println("hello") }\n',
        );
        const line = [
          'crane push layout $REGISTRY/e2e/base:1 >/dev/null',
          'cd module',
          'export KO_DEFAULTBASEIMAGE=$REGISTRY/e2e/base:1',
          'KO_DOCKER_REPO=${IMAGE%:1} ko build --bare -t 1 .',
          'KO_DOCKER_REPO=${STRAIGHT%:1} ko build --bare -t 1 --insecure-registry .',
        ].join('; ');
        const { status, stdout, stderr } = await run('ko', line, { GOFLAGS: '-mod=mod' });
        expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
        const pushed = await digestAt(world().origin, 'e2e/ko', '1');
        expect(await digestAt(world().origin, 'e2e/straight-ko', '1')).toBe(pushed);
        expect(stdout.toString().trim().split('\n')).toEqual([
          expect.stringMatching(`^localhost:\\d+/e2e/ko:1@${pushed}$`),
          expect.stringContaining(`/e2e/straight-ko:1@${pushed}`),
        ]);
      },
    );

    it.skipIf(!hasTool('crane'))('says no in the words of the registry', async () => {
      const { status, stderr } = await run('none', 'crane manifest $IMAGE');
      expect(status).toBe(1);
      expect(stderr).toMatch(/MANIFEST_UNKNOWN|NAME_UNKNOWN/);
    });

    it.skipIf(!hasTool('crane'))('lets nobody in who has not its login', async () => {
      const { status, stderr } = await run(
        'none',
        `env -u REGISTRY_AUTH_FILE DOCKER_CONFIG=${folder}/none crane ls $REGISTRY/e2e/crane`,
      );
      expect(status).toBe(1);
      expect(stderr).toContain('UNAUTHORIZED');
    });
  });
}
