import { existsSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

import { describe, expect, it, vi } from 'vitest';

import { ProgramMissingError, runProgram } from './program.ts';
import type { ProgramCall } from './program.ts';
import { failureOf, inChunks, useFolder, whole } from './test/fixtures.ts';

const folder = useFolder();

/** Runs a script in this Node. */
function script(text: string, more: Partial<ProgramCall> = {}): ProgramCall {
  return { command: process.execPath, args: ['-e', text], ...more };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('runProgram()', () => {
  it('carries both streams, and tells how it ended', async () => {
    const bytes = Buffer.alloc(300_000, 'content');
    let read: Buffer | undefined;
    const end = await runProgram(
      script('process.stdin.pipe(process.stdout).on("finish", () => {}); process.exitCode = 3', {
        stdin: inChunks(bytes, 10_000),
        onStdout: async (stdout) => void (read = await whole(stdout)),
      }),
    );
    expect(end).toEqual({ exitCode: 3, stderr: '' });
    expect(read?.equals(bytes)).toBe(true);
  });

  it('loses no output of a program that is gone before anybody reads it', async () => {
    let read = '';
    const path = JSON.stringify(folder('gone'));
    const text = `process.on("exit", () => require("fs").writeFileSync(${path}, "")); console.log("said")`;
    await runProgram(
      script(text, {
        onStdout: async (stdout) => {
          await vi.waitUntil(() => existsSync(folder('gone')));
          await setTimeout(200);
          read = String(await whole(stdout));
        },
      }),
    );
    expect(read).toBe('said\n');
  });

  it('reads past what nobody wants to read', async () => {
    const text = 'process.stdout.write(Buffer.alloc(1_000_000))';
    expect(await runProgram(script(text))).toMatchObject({ exitCode: 0 });
    const onStdout = async (stdout: AsyncIterable<Uint8Array>): Promise<void> => {
      const iterator = stdout[Symbol.asyncIterator]();
      await iterator.next();
    };
    expect(await runProgram(script(text, { onStdout }))).toMatchObject({ exitCode: 0 });
  });

  it('keeps the last lines of what it complains of', async () => {
    const end = await runProgram(
      script('for (let i = 0; i < 5000; i++) console.error("line", i); process.exitCode = 1'),
    );
    expect(end).toEqual({
      exitCode: 1,
      stderr: [4995, 4996, 4997, 4998, 4999].map((at) => `line ${at}`).join('\n'),
    });
  });

  it('gives no shell its arguments, and no input where there is none', async () => {
    let read = '';
    await runProgram({
      command: process.execPath,
      args: [
        '-e',
        'process.stdin.on("end", () => console.log(process.argv[1])).resume()',
        '$(id) *',
      ],
      onStdout: async (stdout) => void (read = String(await whole(stdout))),
    });
    expect(read).toBe('$(id) *\n');
  });

  it('says that there is no such program', async () => {
    const failure = await failureOf(runProgram({ command: 'no-such-program', args: [] }));
    expect(failure).toBeInstanceOf(ProgramMissingError);
    expect(String(failure)).toMatch(/Cannot run no-such-program: .* on the PATH/);
  });

  it('goes by the exit code of a program that does not want its input', async () => {
    const endless = (async function* () {
      for (;;) yield Buffer.alloc(65_536);
    })();
    expect(await runProgram(script('process.exit(7)', { stdin: endless }))).toMatchObject({
      exitCode: 7,
    });
  });

  it('ends the program when asked to while it starts', async () => {
    const controller = new AbortController();
    const running = runProgram(
      script('setInterval(() => {}, 1000)', { signal: controller.signal }),
    );
    controller.abort(new Error('enough'));
    expect(await failureOf(running)).toBe(controller.signal.reason);
  });

  it('ends the program when asked to, also a stubborn one, and waits for its end', async () => {
    const controller = new AbortController();
    const stubborn = `process.on("SIGTERM", () => {});
      require("fs").writeFileSync(${JSON.stringify(folder('pid'))}, String(process.pid));
      setInterval(() => {}, 1000); console.log("up")`;
    const failure = await failureOf(
      runProgram(
        script(stubborn, {
          signal: controller.signal,
          onStdout: async (stdout) => {
            for await (const _ of stdout) controller.abort(new Error('enough'));
          },
        }),
      ),
    );
    expect(failure).toBe(controller.signal.reason);
    expect(isAlive(Number(readFileSync(folder('pid'), 'utf8')))).toBe(false);
  });

  it.each(['input', 'output'])('ends the program when its %s fails', async (side) => {
    // Only once the program is up: what is looked for is its end.
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      await vi.waitUntil(() => existsSync(folder('pid')) && readFileSync(folder('pid')).length > 0);
      yield Buffer.from('x');
      throw new Error('broken');
    };
    const text = `require("fs").writeFileSync(${JSON.stringify(folder('pid'))}, String(process.pid));
      setInterval(() => {}, 1000)`;
    const how =
      side === 'input'
        ? { stdin: failing() }
        : { onStdout: async () => void (await whole(failing())) };
    expect(String(await failureOf(runProgram(script(text, how))))).toBe('Error: broken');
    expect(isAlive(Number(readFileSync(folder('pid'), 'utf8')))).toBe(false);
  });
});
