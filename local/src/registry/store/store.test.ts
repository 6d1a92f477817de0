import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { append } from './append.ts';
import type { Growing } from './append.ts';
import { Lock } from './lock.ts';
import { Quota } from './quota.ts';
import { Turns } from './turns.ts';

describe('Lock', () => {
  it('runs one thing at a time, in order, also after a failure', async () => {
    const lock = new Lock();
    const said: string[] = [];
    const work = (name: string) => async () => {
      said.push(`${name} begins`);
      await Promise.resolve();
      said.push(`${name} ends`);
      if (name === 'b') throw new Error('b fails');
      return name;
    };
    const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => lock.run(work(name))));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(said).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]));
  });
});

describe('Turns', () => {
  it('cancels whoever was there, and waits until they have stopped', async () => {
    const turns = new Turns();
    const said: string[] = [];
    const { promise: cancelled, resolve: cancel } = Promise.withResolvers<void>();
    const first = turns.take('upload', cancel, async () => {
      await cancelled;
      said.push('first ends');
      throw new Error('cancelled');
    });
    const second = turns.take('upload', cancel, async () => void said.push('second runs'));
    await expect(first).rejects.toThrow('cancelled');
    await second;
    expect(said).toEqual(['first ends', 'second runs']);
  });

  it('leaves work on other things alone', async () => {
    const turns = new Turns();
    const { promise, resolve } = Promise.withResolvers<string>();
    const first = turns.take(
      'one',
      () => resolve('cancelled'),
      () => promise,
    );
    await turns.take(
      'two',
      () => {},
      async () => {},
    );
    resolve('done');
    expect(await first).toBe('done');
  });
});

describe('append()', () => {
  async function grown(chunks: AsyncIterable<Uint8Array>, readOnly = false) {
    const directory = await mkdtemp(join(tmpdir(), 'reposure-append-'));
    const path = join(directory, 'data');
    try {
      await (await open(path, 'w')).close();
      await using handle = await open(path, readOnly ? 'r' : 'r+');
      const quota = new Quota(directory, undefined);
      const growing: Growing = { handle, offset: 0, progress: undefined, quota };
      const error: unknown = await append(growing, chunks).catch((caught: unknown) => caught);
      return { error, offset: growing.offset, content: await readFile(path, 'utf8') };
    } finally {
      await rm(directory, { recursive: true });
    }
  }

  it('keeps what came before a stream broke', async () => {
    async function* chunks() {
      yield Buffer.from('hello ');
      yield Buffer.from('world');
      throw new Error('broken');
    }
    const { error, offset, content } = await grown(chunks());
    expect(error).toMatchObject({ message: 'broken' });
    expect([content, offset]).toEqual(['hello world', 11]);
  });

  it('counts nothing that the file did not take', async () => {
    async function* chunks() {
      yield Buffer.from('hello');
    }
    const { error, offset, content } = await grown(chunks(), true);
    expect(error).toBeInstanceOf(Error);
    expect([content, offset]).toEqual(['', 0]);
  });
});
