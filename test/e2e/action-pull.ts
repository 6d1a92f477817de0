import { readFile, stat } from 'node:fs/promises';

import { describe, expect, it } from 'vitest';

import type { ActionWorld } from '../support/action-world.ts';
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
