import { describe, expect, it } from 'vitest';

import { InputError } from '../errors.ts';
import { imageFieldsOf, parseImagePath } from './image-fields.ts';
import { parseImagePin } from './image-pin.ts';
import { parseManifests } from './parse-manifests.ts';
import { pinImages } from './pin-images.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const reference = `registry.test:5000/team/app@${digest}`;
const pod = (...images: string[]): object => ({
  containers: images.map((image, index) => ({ name: `c${index}`, image })),
});
const manifestsOf = (...objects: object[]) =>
  parseManifests(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }), 'app.yaml');
const deployment = (...images: string[]): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'app' },
  spec: { template: { spec: pod(...images) } },
});

describe('imageFieldsOf()', () => {
  it.each([
    ['v1', 'Pod', { spec: pod('a') }, ['spec.containers[0].image']],
    [
      'batch/v1',
      'Job',
      { spec: { template: { spec: pod('a') } } },
      ['spec.template.spec.containers[0].image'],
    ],
    [
      'batch/v1',
      'CronJob',
      { spec: { jobTemplate: { spec: { template: { spec: pod('a') } } } } },
      ['spec.jobTemplate.spec.template.spec.containers[0].image'],
    ],
    ...['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'].map(
      (kind) =>
        [
          'apps/v1',
          kind,
          { spec: { template: { spec: pod('a') } } },
          ['spec.template.spec.containers[0].image'],
        ] as const,
    ),
    [
      'v1',
      'Pod',
      {
        spec: {
          initContainers: [{ image: 'a' }],
          containers: [{}],
          volumes: [{ name: 'x' }, { image: { reference: 'b' } }],
        },
      },
      ['spec.initContainers[0].image', 'spec.volumes[1].image.reference'],
    ],
    ['example.test/v1', 'Deployment', { spec: { template: { spec: pod('a') } } }, []],
  ] as const)('finds the images of %s %s', (apiVersion, kind, rest, paths) => {
    const fields = imageFieldsOf({ apiVersion, kind, metadata: { name: 'x' }, ...rest });
    expect(fields.map(({ path }) => path)).toEqual(paths);
  });

  it('finds those of custom kinds by path', () => {
    const object = {
      apiVersion: 'example.test/v1',
      kind: 'Tool',
      metadata: { name: 'x' },
      spec: { tools: { a: { image: 'x' }, b: { image: 'y' } }, 'd.e': 'z' },
    };
    const paths = [
      'Tool.example.test=spec.tools.*.image',
      'Tool=.spec["d.e"]',
      'Tool.other.test=spec',
      'Gadget=spec',
    ];
    expect(() => parseImagePath('Tool.example.test=spec.tools.*.image')).toThrow(InputError);
    const fields = imageFieldsOf(
      object,
      ['Tool.example.test=spec.tools[*].image', ...paths.slice(1)].map(parseImagePath),
    );
    expect(fields.map(({ value }) => value)).toEqual(['x', 'y', 'z']);
  });
});

describe('pinImages()', () => {
  it('replaces every place of a name, and tells of them', () => {
    const manifests = manifestsOf(deployment('team/app:1', 'sidecar', 'team/app:1'));
    const [pinned] = pinImages(manifests, [{ name: 'team/app', reference }]);
    expect(pinned?.places).toEqual([
      'Deployment app: spec.template.spec.containers[0].image',
      'Deployment app: spec.template.spec.containers[2].image',
    ]);
    expect(manifests[0]?.object).toMatchObject(deployment(reference, 'sidecar', reference));
  });

  it('does not take its own reference for the name of another', () => {
    const manifests = manifestsOf(deployment('a', 'registry.test:5000/team/app'));
    const other = `b.test/b@${digest}`;
    pinImages(manifests, [
      { name: 'a', reference },
      { name: 'registry.test:5000/team/app', reference: other },
    ]);
    expect(manifests[0]?.object).toMatchObject(deployment(reference, other));
  });

  it('refuses two images of one name, and takes them one by one', () => {
    const two = () => manifestsOf(deployment('app:1', 'app:2'));
    expect(() => pinImages(two(), [{ name: 'app', reference }])).toThrow(
      /different ones of that name, app:1 and app:2; want each under its own: app:1=…, app:2=…/,
    );
    const manifests = two();
    const other = `registry.test:5000/team/other@${digest}`;
    pinImages(manifests, [
      { name: 'app', reference },
      { name: 'app:2', reference: other },
    ]);
    expect(manifests[0]?.object).toMatchObject(deployment(reference, other));
  });

  it.each([
    ['nothing', 'ap', /no manifest has it; those that are there: team\/app, x\.test:1\/app:1/],
    ['the end of a name only', 'app', /no manifest has it/],
    ['a host only', 'x.test', /no manifest has it/],
  ])('refuses a name that matches %s', (_, name, message) => {
    const manifests = manifestsOf(deployment('team/app', 'x.test:1/app:1'));
    expect(() => pinImages(manifests, [{ name, reference }])).toThrow(message);
  });

  it('refuses a name twice, and a path for which there is no object', () => {
    const pin = { name: 'app', reference };
    expect(() => pinImages(manifestsOf(deployment('app')), [pin, pin])).toThrow(/twice/);
    expect(() =>
      pinImages(manifestsOf(deployment('app')), [pin], [parseImagePath('Tool=spec.image')]),
    ).toThrow(/no manifest is a Tool/);
  });
});

describe('parseImagePin()', () => {
  const pushed = {
    action: 'push',
    repository: 'team/app',
    tags: ['1.2.3'],
    digest,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    platforms: [],
    pushRefs: ['registry.ci.svc:5000/team/app:1.2.3'],
    pullRefs: ['localhost:30500/team/app:1.2.3'],
    bytes: { total: 1, read: 1, transferred: 1, reused: 0 },
    blobs: { transferred: 1, mounted: 0, reused: 0 },
    retries: 0,
    bytesPerSecond: 1,
    route: { via: 'exec', reason: 'asked for' },
    dryRun: false,
    durationMs: 1,
  };
  const parse = (text: string, result: unknown = pushed) =>
    parseImagePin(text, async () => JSON.stringify(result));

  it('takes the name by which nodes pull from the result of a push', async () => {
    expect(await parse('app=@pushed.json')).toEqual({
      name: 'app',
      reference: `localhost:30500/team/app@${digest}`,
    });
    expect(await parse(`app:1=${reference}`)).toEqual({ name: 'app:1', reference });
  });

  it.each([
    ['no name', `=${reference}`, pushed, /want NAME=/],
    [
      'a reference by tag',
      'app=registry.test/team/app:1',
      pushed,
      /it has no digest, and a tag may name another image tomorrow/,
    ],
    ['a reference without a host', `app=team/app@${digest}`, pushed, /want registry\/repository/],
    ['a dry run', 'app=@pushed.json', { ...pushed, dryRun: true }, /it was a dry run/],
    ['another result', 'app=@listed.json', [{ repository: 'team/app' }], /no result of a push/],
  ])('refuses %s', async (_, text, result, message) => {
    const failure = await parse(text, result).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InputError);
    expect(failure).toMatchObject({ message: expect.stringMatching(message) });
  });
});
