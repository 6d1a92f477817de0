import { writeFile } from 'node:fs/promises';

import { describe, expect, it } from 'vitest';

import type { ActionWorld } from '../support/action-world.ts';
import { expectNoSecrets, tokenOf } from './action-secrets.ts';

/** What actions/deploy does; what deploying itself does is tested with the command line. */
export function describeDeploy(given: () => ActionWorld): void {
  const pushed = async (repository: string): Promise<string> => {
    const { path, push } = given();
    const run = await push({ source: path('app.tar'), tags: `${repository}:1` });
    return run.outputs['ref'] ?? '';
  };
  const inputs = async (repository: string): Promise<Record<string, string>> => ({
    manifests: given().path('k8s'),
    images: `app=${await pushed(repository)}`,
  });

  describe('actions/deploy', () => {
    it('deploys what was pushed, by digest, and says what changed', async () => {
      const { answer, deploy, kubeconfig, stored } = given();
      const all = await inputs('team/app');
      const run = await deploy({ ...all, kubeconfig }, { env: {} });
      expect(run).toMatchObject({ status: 0, left: [], outputs: { changed: 'true' } });
      const { digest } = await stored('team/app:1');
      expect(JSON.parse(run.outputs['images'] ?? '')).toEqual({ app: all['images']?.slice(4) });
      expect(JSON.parse(run.outputs['objects'] ?? '')).toEqual([
        expect.objectContaining({ kind: 'Service', name: 'hello', change: 'created' }),
        expect.objectContaining({ kind: 'Deployment', name: 'hello', change: 'created' }),
      ]);
      expect(run.summary).toContain('<td>Deployment default/hello</td><td>created</td>');
      expect(run.summary).toContain(digest);
      expectNoSecrets(run, [tokenOf(kubeconfig)]);
      expect(await answer()).toBe(digest);
      const again = await deploy(all);
      expect(again).toMatchObject({ status: 0, outputs: { changed: 'false' } });
    });

    it('shows what would change, in the log and on the page, and changes nothing', async () => {
      const { answer, deploy, stored } = given();
      const run = await deploy({ ...(await inputs('team/crashing')), 'dry-run': 'true' });
      expect(run).toMatchObject({ status: 0, outputs: { changed: 'true' } });
      for (const text of [run.log, run.summary]) {
        expect(text).toMatch(/^- {11}image: .*\/team\/app@.*\n\+ {11}image: .*\/team\/crashing@/m);
      }
      expect(await answer()).toBe((await stored('team/app:1')).digest);
    });

    it('names the cause in one annotation, rolls back, and shows no Secret of the manifests', async () => {
      const { answer, deploy, path, stored } = given();
      // What the application says in the end of its log.
      const secret = '/etc/hello/settings.json';
      const text = `apiVersion: v1\nkind: Secret\nmetadata: {name: it}\nstringData: {it: ${secret}}\n`;
      await writeFile(path('secret.yaml'), text);
      const { images = '', manifests } = await inputs('team/crashing');
      const run = await deploy({
        manifests: `${manifests}\n${path('secret.yaml')} # made by hand\n`,
        images,
        rollback: 'true',
        'fail-after': '1s',
      });
      expect(run).toMatchObject({ status: 1, outputs: {}, left: [] });
      expect(run.log.match(/^::error::.*/gm)).toEqual([
        expect.stringMatching(
          /Cannot roll out Deployment default\/hello: .* exit code 3, .* Cannot read \*\*\*: .*Rolled back: Deployment default\/hello, Secret default\/it \(deleted\)/,
        ),
      ]);
      expect(run.summary).toMatch(
        /<td>Deployment default\/hello<\/td><td>.*<td>Rollback<\/td><td>Rolled back: /,
      );
      expectNoSecrets(run, [secret]);
      expect(await answer()).toBe((await stored('team/app:1')).digest);
    });

    it('ends when it is cancelled, and says that what was applied stays', async () => {
      const { deploy, imageOf } = given();
      const all = await inputs('team/unknown');
      const run = await deploy(
        { ...all, rollback: 'true', 'fail-after': '60s' },
        {
          onStart: (kill) => {
            const applied = async (): Promise<void> => {
              await expect.poll(() => imageOf('hello')).toContain('/team/unknown@');
            };
            void applied().finally(() => kill('SIGINT'));
          },
        },
      );
      expect(run).toMatchObject({ status: 1, outputs: {}, left: [] });
      expect(run.log).toContain('::error::Cancelled (SIGINT); what was applied stays');
      expect(run.summary).toContain('Deploy failed');
      expect(await imageOf('hello')).toContain('/team/unknown@');
    });
  });
}
