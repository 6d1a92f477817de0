import { afterAll, beforeAll } from 'vitest';

import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { nodeImage } from '../support/stand-ins.ts';
import { describeProviders } from './providers.ts';

let embedded: EmbeddedWorld;

beforeAll(async () => {
  embedded = await startEmbeddedWorld({
    [nodeImage]: {
      mapped: true,
      command: ({ command: [, ...words] }) => [process.execPath, ...words],
    },
  });
});

afterAll(async () => {
  await embedded.close();
});

describeProviders('the embedded cluster', () => ({
  env: embedded.env,
  namespace: 'providers',
  api: { url: embedded.cluster.url, ca: embedded.cluster.caPem },
}));
