import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { hasTool } from '../../../test/support/tools.ts';
import { digestOf, hostPlatform, parsePlatform } from '../oci/index.ts';
import type { Source } from './content.ts';
import { readConfig, readManifest } from './image.ts';
import { openSource } from './open-source.ts';
import { failureOf, useFolder, whole } from './test/fixtures.ts';

const folder = useFolder();

function fill(name: string): string {
  mkdirSync(folder(name, 'sub', 'empty'), { recursive: true });
  // Made in another order than sorted.
  for (const file of ['z', 'a', 'B', 'sub/ü', `sub/${'long'.repeat(50)}`]) {
    writeFileSync(folder(name, file), `content of ${file}`);
  }
  chmodSync(folder(name, 'a'), 0o755);
  symlinkSync('../a', folder(name, 'sub', 'link'));
  return folder(name);
}

async function tarIn(source: Source): Promise<Buffer> {
  const [layer] = (await readManifest(source, {})).layers;
  return layer ? gunzipSync(await whole(source.read(layer))) : Buffer.alloc(0);
}

async function digestOfPath(text: string, platform?: string): Promise<string> {
  const source = await openSource(
    text,
    platform === undefined ? {} : { platforms: [parsePlatform(platform)] },
  );
  await source.close();
  return source.root.digest;
}

describe('a file as an artifact', () => {
  it('is a real image: config, diffId, one tar layer, title', async () => {
    writeFileSync(folder('hello.txt'), 'hello');
    const source = await openSource(folder('hello.txt'));
    const manifest = await readManifest(source, {});
    const title = { 'org.opencontainers.image.title': 'hello.txt' };
    expect(manifest.annotations).toEqual(title);
    expect(manifest.layers).toMatchObject([{ annotations: title }]);
    const config = await readConfig(source, manifest.config);
    const tar = await tarIn(source);
    expect(config).toMatchObject({ ...hostPlatform(), rootfs: { diff_ids: [digestOf(tar)] } });
    expect(config).not.toHaveProperty('created');
    await source.close();
  });

  it('says it runs where it is told to', async () => {
    writeFileSync(folder('hello.txt'), 'hello');
    const source = await openSource(folder('hello.txt'), {
      platforms: [parsePlatform('linux/arm64/v8')],
    });
    const { config } = await readManifest(source, {});
    expect(await readConfig(source, config)).toMatchObject({
      architecture: 'arm64',
      variant: 'v8',
    });
    await source.close();
  });

  it('is refused if it cannot be read as a file', async () => {
    execFileSync('mkfifo', [folder('pipe')]);
    expect(await failureOf(openSource(folder('pipe')))).toMatchObject({ code: 'INPUT_INVALID' });
  });
});

describe('a folder as an artifact', () => {
  it('has one digest for equal content, whenever and wherever it lies', async () => {
    fill('one');
    cpSync(folder('one'), folder('elsewhere', 'one'), { recursive: true, verbatimSymlinks: true });
    utimesSync(folder('elsewhere', 'one', 'a'), 1, 1);
    const digest = await digestOfPath(folder('one'));
    expect(await digestOfPath(folder('elsewhere', 'one'))).toBe(digest);
    chmodSync(folder('elsewhere', 'one', 'a'), 0o644);
    expect(await digestOfPath(folder('elsewhere', 'one'))).not.toBe(digest);
  });

  it.skipIf(!hasTool('tar'))(
    'is a tar that other tools read, sorted, owned by nobody in particular',
    async () => {
      const source = await openSource(fill('one'));
      const listing = execFileSync('tar', ['tv', '--numeric-owner', '--full-time'], {
        input: await tarIn(source),
        env: { ...process.env, TZ: 'UTC', LC_ALL: 'C.UTF-8' },
      });
      const lines = String(listing).trim().split('\n');
      expect(lines.map((line) => line.split(/\s+/).slice(5).join(' '))).toEqual([
        'B',
        'a',
        'sub/',
        'sub/empty/',
        'sub/link -> ../a',
        `sub/${'long'.repeat(50)}`,
        String.raw`sub/ü`,
        'z',
      ]);
      expect(lines.every((line) => / 0\/0 .* 1970-01-01 00:00:00 /.test(line))).toBe(true);
      expect(lines[1]).toMatch(/^-rwxr-xr-x/);
      await source.close();
    },
  );

  it('leaves pipes out, and says so', async () => {
    fill('one');
    execFileSync('mkfifo', [folder('one', 'pipe')]);
    const warnings: string[] = [];
    const log = {
      debug: () => {},
      info: () => {},
      warn: (text: string) => void warnings.push(text),
    };
    const source = await openSource(folder('one'), { log });
    await source.close();
    expect(warnings).toEqual([expect.stringMatching(/Left out .*pipe/)]);
  });
});
