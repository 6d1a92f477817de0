import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { describeOwner, ownOwner } from '../process-owner.ts';
import type { Owner } from '../process-owner.ts';
import { abortable, TemporaryFolder } from './temporary.ts';
import { failureOf, inChunks, useFolder, whole } from './test/fixtures.ts';

const folder = useFolder();
const reason = new Error('enough');

describe('TemporaryFolder', () => {
  it('is not there before it is needed, and not any more when it is removed', async () => {
    const temporary = new TemporaryFolder(folder());
    await temporary.remove();
    expect(readdirSync(folder())).toEqual([]);
    const path = await temporary.spool(inChunks(Buffer.from('some text')));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    await temporary.remove();
    expect(readdirSync(folder())).toEqual([]);
  });

  it('removes what a killed process has left, and nothing of one that lives, here or elsewhere', async () => {
    const own = await ownOwner();
    const left = (owner: Partial<Owner>): string => {
      const name = `reposure-tmp-${describeOwner({ ...own, ...owner })}-AbC123`;
      mkdirSync(join(folder(), name));
      writeFileSync(join(folder(), name, '0'), 'a layer');
      return name;
    };
    left({ startTime: own.startTime + 1 }); // another process once had this number
    const others = [left({}), left({ place: 'abc', pid: 1 })];
    const temporary = new TemporaryFolder(folder());
    const path = await temporary.next();
    expect(readdirSync(folder()).toSorted()).toEqual(
      [...others, basename(dirname(path))].toSorted(),
    );
  });
});

describe('abortable()', () => {
  it('does not wait for a stream that is silent, and destroys it', async () => {
    const controller = new AbortController();
    // Asked for bytes, it has none, and the user gives up.
    const silent = new Readable({ read: () => controller.abort(reason) });
    const temporary = new TemporaryFolder(folder());
    expect(await failureOf(temporary.spool(silent, controller.signal))).toBe(reason);
    expect(silent.destroyed).toBe(true);
    await temporary.remove();
    expect(readdirSync(folder())).toEqual([]);
  });

  it('does not wait for a generator that is silent', async () => {
    const controller = new AbortController();
    const silent = (async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a');
      await new Promise(() => {});
    })();
    const reading = failureOf(whole(abortable(silent, controller.signal)));
    setImmediate(() => controller.abort(reason));
    expect(await reading).toBe(reason);
  });

  it('lets go of a stream that nobody reads to its end', async () => {
    let closed = false;
    const source = (async function* () {
      try {
        yield* inChunks(Buffer.from('some text'), 2);
      } finally {
        closed = true;
      }
    })();
    for await (const _ of abortable(source, new AbortController().signal)) break;
    expect(closed).toBe(true);
  });
});
