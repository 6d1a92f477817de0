import { readFile, stat, writeFile } from 'node:fs/promises';

import { hostPlatform } from '@reposure/core/oci';
import { describe, expect, it } from 'vitest';

import type { ActionWorld } from '../support/action-world.ts';
import { writeBuildkitArchive } from '../support/buildkit-archive.ts';
import { hasTool, runProgram } from '../support/tools.ts';
import { expectNoSecrets, tokenOf } from './action-secrets.ts';

/** What actions/pull does. */
export function describePull(given: () => ActionWorld): void {
  describe('actions/pull', () => {
    it('unpacks into a folder, whose path it hands on', async () => {
      const { kubeconfig, path, pull } = given();
      const inputs = { kubeconfig, image: 'made/site:1', to: path('public'), unpack: 'true' };
      const run = await pull(inputs, { env: {} });
      expect(run).toMatchObject({ status: 0, left: [], outputs: { path: path('public') } });
      expect(run.summary).toContain('<td>made/site:1</td>');
      const [found, wanted] = await Promise.all(
        ['public', 'site'].map((folder) => readFile(path(`${folder}/random.bin`))),
      );
      expect(found).toEqual(wanted);
      expectNoSecrets(run, [tokenOf(kubeconfig)]);
    });

    it.skipIf(!hasTool('podman'))(
      'gives podman and buildah the platform of an index that this runner has',
      async () => {
        const { cli, env, path, pull } = given();
        const { path: archive } = await writeBuildkitArchive(path('index.tar'));
        await cli('image', 'push', 'default', 'made/index:1', `oci-archive:${archive}`);
        const storage = path('storage.conf');
        const folders = `graphroot = "${path('graph')}"\nrunroot = "${path('run')}"\n`;
        await writeFile(storage, `[storage]\ndriver = "vfs"\n${folders}`);
        const inputs = { image: 'made/index:1', to: 'containers-storage:localhost/index:1' };
        const stores = { ...env, CONTAINERS_STORAGE_CONF: storage };
        const run = await pull(inputs, { env: stores });
        expect(run).toMatchObject({ status: 0, left: [], outputs: { path: '' } });
        const command = ['podman', 'image', 'inspect', '--format', '{{.Architecture}}'];
        const found = await runProgram([...command, 'localhost/index:1'], { env: stores });
        expect(found.stdout.toString().trim()).toBe(hostPlatform().architecture);
      },
    );

    it('leaves nothing of a pull that is cancelled', async () => {
      const { path, pull, stalled } = given();
      const inputs = { image: 'made/site:1', to: `oci-archive:${path('cancelled.tar')}` };
      const run = await pull(
        { ...inputs, registry: 'stalled' },
        {
          onStart: (kill) => {
            void stalled.arrival().then(() => kill('SIGTERM'));
          },
        },
      );
      expect(run).toMatchObject({ status: 1, outputs: {}, left: [] });
      expect(run.log).toContain('::error::Cancelled (SIGTERM)');
      await expect(stat(path('cancelled.tar'))).rejects.toThrow('ENOENT');
    });
  });
}
