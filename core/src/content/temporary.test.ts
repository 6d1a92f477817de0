import { readdirSync } from 'node:fs';
import { Readable } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { abortable, TemporaryFolder } from './temporary.ts';
import { failureOf, inChunks, useFolder, whole } from './test/fixtures.ts';

const folder = useFolder();
const reason = new Error('enough');

describe('abortable()', () => {
  it('does not wait for a stream that is silent, and destroys it', async () => {
    const controller = new AbortController();
    // Asked for bytes, it has none, and the user gives up.
    const silent = new Readable({ read: () => controller.abort(reason) });
    const temporary = await TemporaryFolder.make(folder());
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
