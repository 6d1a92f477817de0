import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { startRequestRecorder } from '../support/request-recorder.ts';
import type { RequestRecorder } from '../support/request-recorder.ts';
import { describeClientRights } from './client-rights.ts';
import { givenAwayBy } from './secrets-inspection.ts';
import { describeSecured } from './secured.ts';

let embedded: EmbeddedWorld;

beforeAll(async () => {
  embedded = await startEmbeddedWorld();
});

afterAll(async () => {
  await embedded.close();
});

describeSecured(
  'the embedded cluster',
  () => ({ env: embedded.env, namespace: 'secured' }),
  (place) => {
    describeClientRights(place);
    describe('what only the embedded cluster lets us look at', () => {
      let recorder: RequestRecorder;

      beforeAll(async () => {
        recorder = await startRequestRecorder(embedded.cluster);
      });

      afterAll(async () => {
        await recorder.close();
      });

      it('no request to the API has a secret in its URL', async () => {
        const { ok, confidences, kubeconfigOf } = place();
        const kubeconfig = await kubeconfigOf('recorded', { server: recorder });
        await ok(
          `reposure --kubeconfig=${kubeconfig} image push secure team/recorded:1 hello.txt --route=exec`,
        );
        await ok(
          `reposure --kubeconfig=${kubeconfig} image push secure team/recorded:2 hello.txt --route=proxy`,
        );
        const paths = recorder.requests.map((request) => request.split(' ')[1] ?? '');
        const execs = paths.filter((path) => path.includes('/exec?'));
        expect(execs).toEqual([expect.stringContaining('/pods/reposure-surrogate-secure-0/exec?')]);
        const { searchParams } = new URL(execs[0] ?? '', recorder.url);
        expect(searchParams.getAll('command').slice(0, 2)).toEqual(['reposure-surrogate', 'serve']);
        expect(decodeURIComponent(paths.join('\n'))).toContain(':gateway/proxy/v2/');
        const text = recorder.requests.join('\n');
        expect(givenAwayBy(`${text}\n${decodeURIComponent(text)}`, confidences)).toEqual([]);
      });

      it.skipIf(process.platform !== 'linux')(
        'no process has a secret in its arguments or its environment',
        async () => {
          const processes = await processesBelow(process.pid);
          const text = processes.join('\n');
          expect(text).toContain('reposure-surrogate');
          expect(text).toContain('REGISTRY_AUTH_HTPASSWD_PATH');
          expect(givenAwayBy(text, place().confidences)).toEqual([]);
        },
      );
    });
  },
);

/** The arguments and the environment of every process that this one has started, directly or not. */
async function processesBelow(root: number): Promise<string[]> {
  const children = new Map<number, number[]>();
  for (const pid of (await readdir('/proc')).map(Number).filter(Boolean)) {
    const stat = await readFile(join('/proc', String(pid), 'stat'), 'utf8').catch(() => '');
    // `pid (name) state ppid`, and a name may hold anything.
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const below: number[] = [];
  for (let found = children.get(root) ?? []; found.length > 0;) {
    below.push(...found);
    found = found.flatMap((pid) => children.get(pid) ?? []);
  }
  const read = (pid: number, file: string): Promise<string> =>
    readFile(join('/proc', String(pid), file), 'utf8').catch(() => '');
  return Promise.all(
    below.map(async (pid) => `${await read(pid, 'cmdline')}\n${await read(pid, 'environ')}`),
  );
}
