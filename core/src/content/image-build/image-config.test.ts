import { expect, it } from 'vitest';

import { digestOf, parseConfig } from '../../oci/index.ts';
import { configBytes } from './image-config.ts';

const settings = {
  user: '65532:65532',
  entrypoint: ['/app'],
  env: { PATH: '/app:/bin' },
  labels: { version: '2' },
};
const [below, own] = ['below', 'own'].map((text) => digestOf(Buffer.from(text)));
const base = {
  architecture: 'arm64',
  os: 'linux',
  variant: 'v8',
  author: 'somebody',
  config: {
    Env: ['PATH=/bin', 'NODE_VERSION=24'],
    Entrypoint: ['docker-entrypoint.sh'],
    Cmd: ['node'],
    WorkingDir: '/work',
    Labels: { version: '1', other: 'x' },
  },
  rootfs: { type: 'layers', diff_ids: [below] },
  history: [{ created_by: 'below' }, { created_by: 'ENV', empty_layer: true }],
};

function configOf(given: object): unknown {
  const bytes = configBytes({
    platform: { os: 'linux', architecture: 'amd64' },
    base: parseConfig(Buffer.from(JSON.stringify(given))),
    settings,
    layers: own ? [{ diffId: own, createdBy: 'own' }] : [],
    created: '2026-01-02T03:04:05Z',
  });
  return JSON.parse(Buffer.from(bytes).toString());
}

it('configBytes() puts settings on top of the base’s, whose command goes', () => {
  expect(configOf(base)).toEqual({
    ...base,
    created: '2026-01-02T03:04:05Z',
    config: {
      Env: ['NODE_VERSION=24', 'PATH=/app:/bin'],
      Entrypoint: ['/app'],
      WorkingDir: '/work',
      User: '65532:65532',
      Labels: { version: '2', other: 'x' },
    },
    rootfs: { type: 'layers', diff_ids: [below, own] },
    history: [...base.history, { created: '2026-01-02T03:04:05Z', created_by: 'own' }],
  });
});

it('configBytes() starts no history that would lack the layers below', () => {
  const { history, ...without } = base;
  expect(history).toHaveLength(2);
  expect(configOf(without)).not.toHaveProperty('history');
});
