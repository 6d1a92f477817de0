import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { LogFile } from './log-file.ts';
import type { LogReading } from './log-file.ts';

let folder: string;
let log: LogFile;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reposure-log-'));
  log = new LogFile(join(folder, 'log'), 100);
});
afterEach(() => {
  log.remove();
  rmSync(folder, { recursive: true });
});

const write = (text: string): void => log.append(Buffer.from(text));
const textOf = async (options?: LogReading): Promise<string> =>
  Buffer.concat(await Array.fromAsync(log.read(options))).toString('utf8');

describe('LogFile', () => {
  it.each([
    [undefined, 'a\nb\nc\n'],
    [0, ''],
    [1, 'c\n'],
    [2, 'b\nc\n'],
    [9, 'a\nb\nc\n'],
  ])('reads the last lines: %s', async (tailLines, expected) => {
    write('a\nb\nc\n');
    expect(await textOf({ tailLines })).toBe(expected);
  });

  it('reads a last line that is not finished', async () => {
    write('a\nb');
    expect(await textOf({ tailLines: 1 })).toBe('b');
  });

  it('follows until the end, across a rotation', async () => {
    write('first\n');
    const following = log.read({ follow: true, tailLines: 1 });
    const read = [(await following.next()).value ?? Buffer.alloc(0)];
    const rest = Array.fromAsync(following, (bytes) => read.push(bytes));
    let expected = 'first\n';
    for (let line = 0; line < 20; line++) {
      const text = `line ${line} of many\n`;
      write(text);
      expected += text;
      // The follower has read it when this comes back.
      await new Promise((resolve) => setImmediate(resolve));
    }
    log.end();
    await rest;
    expect(Buffer.concat(read).toString('utf8')).toBe(expected);
  });

  it('stops to follow when it is told to', async () => {
    const stop = new AbortController();
    write('a\n');
    const following = textOf({ follow: true, signal: stop.signal });
    stop.abort();
    expect(await following).toBe('a\n');
  });

  it('does not grow without end', () => {
    for (let line = 0; line < 100; line++) write('a line of twenty....\n');
    const sizes = ['log', 'log.1'].map((name) => statSync(join(folder, name)).size);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
  });
});
