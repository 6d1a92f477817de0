import { truncate, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';

import { describe, expect, it } from 'vitest';

import type { ActionWorld } from '../support/action-world.ts';
import type { StepRun } from '../support/action.ts';
import { expectNoSecrets, tokenOf } from './action-secrets.ts';

const token = 'ghp_16C7e42F292c6912E7710c838347Ae178B4a';
const noKubeconfig = 'apiVersion: v1\nkind: Secret\nstringData: {token: hidden-in-yaml}\n';

type Inputs = Record<string, string>;

/** What every action says of inputs that are wrong: one error that names the input, and no secret. */
export function describeRefusals(given: () => ActionWorld): void {
  const archive = (): Inputs => ({ source: given().path('app.tar'), tags: 'team/bad:1' });

  describe('actions/push refuses', () => {
    it.each<[string, Inputs, RegExp]>([
      ['an empty source', { source: '' }, /source: is required/],
      ['tags of which none is left', { tags: '# none\n' }, /tags: is required/],
      [
        'an input that there is not',
        { 'dry-runs': 'true' },
        /the input "dry-runs".* want .*dry-run/,
      ],
      ['a value that there is not', { route: 'fast' }, /route: wants auto, direct, proxy or exec/],
      ['a tag that no registry takes', { tags: 'team/Bad:1' }, /tags: .*team\/Bad:1/],
      [
        'a secret among the tags',
        { tags: `team/ok:1 ${token}` },
        /tags: entry 2 looks like a secret/,
      ],
      ['a secret as a tag', { tags: `team/ok:${token}` }, /tags: entry 1 looks like a secret/],
      ['a tag of another registry', { tags: 'ghcr.io/team/bad:1' }, /"tags".* ghcr\.io/],
      ['two sources', { source: 'app.tar\nother.tar' }, /source: wants one source/],
      ['a source that does not exist', { source: '/absent.tar' }, /input "source": .*absent\.tar/],
      ['a truncated archive', { source: 'cut.tar' }, /input "source": .*cut\.tar/],
      ['a Registry that does not exist', { registry: 'absent' }, /registry "absent".*"registry"/],
      ['a namespace that does not exist', { namespace: 'absent' }, /"absent".*"namespace"/],
      ['a secret as the Registry', { registry: token }, /the inputs "registry"/],
      ['YAML that is no kubeconfig', { kubeconfig: noKubeconfig }, /the input "kubeconfig"/],
      ['a folder without a kubeconfig', { kubeconfig: tmpdir() }, /"kubeconfig".* that folder/],
      ['a context that there is not', { context: 'absent' }, /"context".*"absent"/],
      [
        'too little time',
        { registry: 'stalled', timeout: '1s' },
        /within 1 s; the input "timeout"/,
      ],
      [
        'a check of what is not there yet',
        { 'verify-pull': 'true', 'dry-run': 'true' },
        /verify-pull: contradicts "dry-run"/,
      ],
      ['a login that has expired', { kubeconfig: 'expired' }, /the input "kubeconfig".* expired/],
    ])('%s', async (_, wrong, message) => {
      const { kubeconfig, path, push, tagsOf } = given();
      const inputs: Inputs = { ...archive(), kubeconfig, ...wrong };
      if (wrong['source'] === 'cut.tar') {
        inputs['source'] = path('cut.tar');
        await writeFile(path('cut.tar'), await readFile(path('app.tar')));
        await truncate(path('cut.tar'), 1500);
      }
      const expired = `${tokenOf(kubeconfig)}-of-last-year`;
      if (wrong['kubeconfig'] === 'expired') {
        inputs['kubeconfig'] = kubeconfig.replace(tokenOf(kubeconfig), expired);
      }
      const run = await push(inputs, { env: {} });
      expectRefusal(run, message);
      expect(run).toMatchObject({ outputs: {}, left: [] });
      expectNoSecrets(run, [tokenOf(kubeconfig), expired, token, 'hidden-in-yaml']);
      expect(await tagsOf('team/bad')).toEqual([]);
    });

    it('with a stack only where debugging is on', async () => {
      const { env, push } = given();
      const run = await push(
        { ...archive(), route: 'fast' },
        { env: { ...env, RUNNER_DEBUG: '1' } },
      );
      expect(run.log).toMatch(/^::debug::InputError: .*%0A\s+at /m);
    });

    it('a registry that refuses the login of docker/login-action, and shows none of it', async () => {
      const { env, origin, path, push } = given();
      const auth = Buffer.from('robot:very-secret-password').toString('base64');
      await writeFile(path('config.json'), JSON.stringify({ auths: { [origin]: { auth } } }));
      const inputs = { ...archive(), source: `docker://${origin}/team/absent:1` };
      const run = await push(inputs, { env: { ...env, DOCKER_CONFIG: path('') } });
      expectRefusal(run, /docker:\/\/|127\.0\.0\.1|localhost/);
      expect(run.log).toContain(`::add-mask::${auth}`);
      expectNoSecrets(run, [auth, 'very-secret-password']);
    });
  });

  describe('actions/pull refuses', () => {
    it.each<[string, Inputs, RegExp]>([
      ['neither image nor place', {}, /image: is required; to: is required/],
      ['a folder and an archive', { unpack: 'true', to: 'oci:x' }, /to: with the input "unpack"/],
      ['a place that is none', { to: 'x' }, /to: wants one of oci:/],
      ['an image that there is not', { image: 'team/absent:1' }, /input "image": .*team\/absent:1/],
    ])('%s', async (title, wrong, message) => {
      const { env, runners } = given();
      const usual = title.startsWith('neither') ? {} : { image: 'made/site:1', to: 'oci:x' };
      const run = await runners.pull.run({ inputs: { ...usual, ...wrong }, env });
      expectRefusal(run, message);
      expect(run).toMatchObject({ outputs: {}, left: [] });
    });
  });

  describe('actions/deploy refuses', () => {
    const image = 'app=registry.test/team/app';
    it.each<[string, Inputs, RegExp]>([
      ['nothing to deploy', { manifests: '# none\n' }, /manifests: is required/],
      ['standard input', { manifests: '-' }, /manifests: wants files or folders/],
      ['manifests that do not exist', { manifests: '/absent' }, /input "manifests": .*\/absent/],
      ['a prune of nobody knows what', { prune: 'true' }, /prune: wants the input "set"/],
      ['an image by its tag', { images: `${image}:1` }, /input "images": .* no digest/],
      [
        'an image that no manifest has',
        { images: `${image.replace('app', 'ap')}@sha256:${'0'.repeat(64)}` },
        /inputs "manifests" and "images": .*"ap": no manifest has it.* input "image-paths"/,
      ],
      ['a secret as an image', { images: `app=${token}` }, /input "images": .*"\*\*\*"/],
      [
        'a namespace that does not exist',
        { namespace: 'absent' },
        /"absent": it does not exist .* the input "create-namespace"/,
      ],
    ])('%s', async (_, wrong, message) => {
      const { deploy, path } = given();
      const run = await deploy({ manifests: path('k8s'), ...wrong });
      expectRefusal(run, message);
      expect(run).toMatchObject({ outputs: {}, left: [] });
      expectNoSecrets(run, [token]);
    });
  });

  describe('actions/setup refuses', () => {
    it.each<[string, Inputs, RegExp]>([
      [
        'a host with what finds one',
        { provider: 'simple', host: 'a.example' },
        /host: contradicts/,
      ],
      ['a provider without its host', { provider: 'harbor' }, /host: is required by "provider"/],
      ['two registries', { simple: 'true', host: 'a.example' }, /simple: contradicts/],
      ['an image for nothing', { operator: 'check', image: 'x' }, /image: contradicts "operator"/],
      [
        'a namespace without an operator',
        { operator: 'check', namespace: 'empty' },
        /inputs "operator" and "namespace": .*"empty"/,
      ],
      [
        'a Registry that nobody makes',
        { operator: 'skip', registry: 'late', timeout: '1s' },
        /inputs "registry" and "namespace": .*default\/late/,
      ],
    ])('%s', async (_, wrong, message) => {
      const { env, runners } = given();
      const before = await runners.setup.left();
      const run = await runners.setup.run({ inputs: wrong, env });
      expectRefusal(run, message);
      expect(run.outputs).toEqual({});
      expect(run.left).toEqual(before);
    });
  });
}

function expectRefusal(run: StepRun, message: RegExp): void {
  expect(run.status).toBe(1);
  const errors = run.log.split('\n').filter((line) => line.startsWith('::error::'));
  expect(errors).toEqual([expect.stringMatching(message)]);
  expect(run.log).not.toMatch(/\n\s+at /);
  expect(run.summary).toContain('failed');
}
