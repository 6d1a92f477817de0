import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openSource } from '@reposure/core/content';
import { directTransport } from '@reposure/core/registry';
import { parseDestination, push } from '@reposure/core/transfer';
import type { PushOptions, TransferResult } from '@reposure/core/transfer';
import { startRegistry } from '@reposure/local/registry';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { writeRandomImage } from '../support/random-image.ts';
import { startRelay } from '../support/relay.ts';
import type { Relay } from '../support/relay.ts';

const MiB = 1024 * 1024;
const layerBytes = 8 * MiB;
const interruption = new Error('Ctrl-C');

let directory: string;
let registry: Awaited<ReturnType<typeof startRegistry>>;
let relay: Relay;
let digest: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kept-'));
  registry = await startRegistry({ directory: join(directory, 'registry') });
  // Slow enough for the registry to have what has gone.
  relay = await startRelay(registry.host, { bytesPerSecond: 40 * MiB });
  digest = await writeRandomImage(join(directory, 'image'), { layers: 1, layerBytes });
});

afterEach(async () => {
  await relay.close();
  await registry.close();
  await rm(directory, { recursive: true, force: true });
});

const kept = (): Pick<PushOptions, 'state'> => ({
  state: { directory: join(directory, 'state'), registry: 'uid' },
});
const namesIn = (...parts: string[]): Promise<string[]> =>
  readdir(join(directory, ...parts)).catch(() => []);
const uploads = (): Promise<string[]> => namesIn('registry', 'uploads');
const records = (): Promise<string[]> => namesIn('state', 'uploads');

async function pushed(options: PushOptions): Promise<TransferResult> {
  const transport = directTransport({ host: relay.host, insecure: true });
  const source = await openSource(`oci:${join(directory, 'image')}`);
  const route = { via: 'direct', reason: '', request: transport, close: async () => {} } as const;
  try {
    return await push(route, source, parseDestination('team/app:1'), options);
  } finally {
    await source.close();
    await transport.close();
  }
}

/** Pushes until half of the layer has gone. @returns what it ended with. */
async function interrupted(options: PushOptions): Promise<unknown> {
  const controller = new AbortController();
  relay.up.when(relay.up.bytes + layerBytes / 2, () => controller.abort(interruption));
  const { signal } = controller;
  return await pushed({ ...options, signal }).catch((error: unknown) => error);
}

/** Changes one bit. */
async function spoil(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  await writeFile(file, bytes);
}

describe('an interrupted push', () => {
  it('leaves its upload to the next one, which sends what is missing', async () => {
    expect(await interrupted(kept())).toBe(interruption);
    expect(await uploads()).toHaveLength(1);
    expect(await records()).toHaveLength(1);
    const before = relay.up.bytes;
    expect(await pushed(kept())).toMatchObject({ digest });
    expect(relay.up.bytes - before).toBeLessThan(0.6 * layerBytes);
    expect(await uploads()).toEqual([]);
    expect(await records()).toEqual([]);
  });

  it('takes its upload back where nothing is remembered', async () => {
    expect(await interrupted({})).toBe(interruption);
    expect(await uploads()).toEqual([]);
  });

  it('is no hindrance where the registry has forgotten its upload', async () => {
    await interrupted(kept());
    await rm(join(directory, 'registry', 'uploads'), { recursive: true });
    expect(await pushed(kept())).toMatchObject({ digest });
    expect(await records()).toEqual([]);
  });

  it('is no hindrance where the registry has spoilt its upload: all of it goes once more', async () => {
    await interrupted(kept());
    const [id = ''] = await uploads();
    // A registry that was started again does not remember what it has hashed.
    const data = join(directory, 'registry', 'uploads', id, 'data');
    await spoil(data);
    const port = Number(registry.host.split(':')[1]);
    await registry.close();
    // A busy machine is interrupted late.
    const dueBytes = 2 * layerBytes - (await stat(data)).size;
    registry = await startRegistry({ directory: join(directory, 'registry'), port });
    const before = relay.up.bytes;
    expect(await pushed(kept())).toMatchObject({ digest });
    expect(relay.up.bytes - before).toBeGreaterThanOrEqual(dueBytes);
    expect(relay.up.bytes - before).toBeLessThan(dueBytes + 0.2 * layerBytes);
    expect(await records()).toEqual([]);
  });

  it('is not shared by two pushes at the same time', async () => {
    await interrupted(kept());
    const both = await Promise.all([pushed(kept()), pushed(kept())]);
    expect(both.map((result) => result.digest)).toEqual([digest, digest]);
    expect(await uploads()).toEqual([]);
    expect(await records()).toEqual([]);
  });
});

describe('a push that cannot succeed', () => {
  it('leaves nothing behind', async () => {
    const blobs = join(directory, 'image', 'blobs', 'sha256');
    const sizes = await Promise.all(
      (await readdir(blobs)).map(async (name) => ({
        name,
        size: (await readFile(join(blobs, name))).byteLength,
      })),
    );
    const layer = sizes.find(({ size }) => size === layerBytes)?.name ?? '';
    await spoil(join(blobs, layer));
    await expect(pushed(kept())).rejects.toMatchObject({ code: 'CONTENT_MISMATCH' });
    expect(await uploads()).toEqual([]);
    expect(await records()).toEqual([]);
  });
});

describe('a push that has no place to remember', () => {
  it('works all the same', async () => {
    await mkdir(join(directory, 'state'));
    await writeFile(join(directory, 'state', 'uploads'), 'not a folder');
    expect(await pushed(kept())).toMatchObject({ digest });
  });
});
