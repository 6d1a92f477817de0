import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hasDockerDaemon, startDockerDaemon } from '../../../test/support/docker-daemon.ts';
import type { DockerDaemon } from '../../../test/support/docker-daemon.ts';
import { hasTool } from '../../../test/support/tools.ts';
import { digestOf } from '../oci/index.ts';
import { openSink } from './open-sink.ts';
import { openSource } from './open-source.ts';
import { ProgramMissingError, runProgram } from './program.ts';
import type { ProgramCall, RunProgram } from './program.ts';
import { singleFileOf } from './single-file.ts';
import {
  dockerTar,
  failureOf,
  imageOf,
  inChunks,
  rawTar,
  useFolder,
  whole,
} from './test/fixtures.ts';
import type { TestImage } from './test/fixtures.ts';

const folder = useFolder();
const layer = rawTar({ path: 'hello.txt', content: 'hello' });
const image = imageOf([layer]);

function temporaries(): { temporaryDirectory: string } {
  mkdirSync(folder('temporary'), { recursive: true });
  return { temporaryDirectory: folder('temporary') };
}

/** Writes an image to a store, as a pull does. */
async function write(to: string, from: TestImage, run: RunProgram): Promise<void> {
  const sink = await openSink(to, { run, ...temporaries() });
  for (const one of [...from.layers, from.config, from.root]) await sink.write(one, from.read(one));
  await sink.commit(from.root, 'another/name:1');
}

/** What the source at `text` holds: the ID of the image and its one file. */
async function read(text: string, run: RunProgram): Promise<unknown> {
  const source = await openSource(text, { run, ...temporaries() });
  try {
    const { config } = JSON.parse(String(await whole(source.read(source.root))));
    return { id: config.digest, file: (await singleFileOf(source))?.name };
  } finally {
    await source.close();
    expect(readdirSync(folder('temporary'))).toEqual([]);
  }
}

/** A program that says and ends as told, once it has read its input. */
function answering(
  answers: Record<string, { out?: Uint8Array; err?: string; exitCode?: number }>,
): {
  run: RunProgram;
  calls: string[];
} {
  const calls: string[] = [];
  const run = async ({ command, args, stdin, onStdout }: ProgramCall) => {
    const line = [command, ...args].join(' ');
    calls.push(line);
    for await (const _ of stdin ?? []);
    const key = Object.keys(answers).find((start) => line.startsWith(start));
    if (key === undefined) throw new ProgramMissingError(`no ${command}`);
    const { out = Buffer.alloc(0), err = '', exitCode = err ? 1 : 0 } = answers[key] ?? {};
    await onStdout?.(inChunks(out, 1000));
    return { exitCode, stderr: err };
  };
  return { run, calls };
}

describe('a store of images on this machine', () => {
  const docker = dockerTar([{ layers: [layer], tags: ['app:1'] }]);

  it.each([
    [
      'an image that is not there',
      { 'docker image': { err: 'Error: No such image: app:1' } },
      /does not have it \(Error: No such image: app:1\); see docker images/,
      'NOT_FOUND',
    ],
    [
      'a daemon that does not run',
      { 'docker image': { err: 'Cannot connect to the Docker daemon at unix:///x.' } },
      /Cannot connect.*start the daemon, or set DOCKER_HOST/,
      'UNREACHABLE',
    ],
    [
      'a save that fails half-way',
      {
        'docker image': { out: Buffer.from('sha256:1\n') },
        'docker save': { out: docker, err: 'x' },
      },
      /"docker save sha256:1" ended with exit code 1: x;/,
      'UNSUPPORTED',
    ],
    [
      'a machine without docker',
      {},
      /there is no docker on the PATH; .*docker-archive:FILE/,
      'NOT_FOUND',
    ],
  ])('is refused in one sentence: %s', async (_, answers, message, code) => {
    const { run } = answering(answers);
    const failure = await failureOf(openSource('docker-daemon:app:1', { run, ...temporaries() }));
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(String(failure)).toContain('Cannot read docker-daemon:app:1');
    expect(readdirSync(folder('temporary'))).toEqual([]);
  });

  it('is asked with the tool that is there, for itself only', async () => {
    let mode = 0;
    const { run, calls } = answering({});
    const buildah: RunProgram = async (call) => {
      if (call.command !== 'buildah') return run(call);
      const path = String(call.args.at(-1)).replace('docker-archive:', '');
      mode = statSync(path).mode & 0o777;
      writeFileSync(path, docker);
      return { exitCode: 0, stderr: '' };
    };
    expect(await read('containers-storage:app:1', buildah)).toMatchObject({ file: 'hello.txt' });
    expect(calls).toEqual(['podman save -q --format docker-archive app:1']);
    expect(mode).toBe(0o600);
  });

  it.each(['docker-daemon:--output=x', 'docker-daemon:a b', 'containers-storage:$(id)'])(
    'gets no name that is none: "%s"',
    async (text) => {
      const { run, calls } = answering({});
      expect(await failureOf(openSource(text, { run }))).toMatchObject({ code: 'INPUT_INVALID' });
      expect(await failureOf(openSink(text, { run }))).toMatchObject({ code: 'INPUT_INVALID' });
      expect(calls).toEqual([]);
    },
  );

  it('is loaded on commit only, and asked what it has then', async () => {
    const other = JSON.stringify([
      { Id: digestOf('other'), RootFS: { Layers: [digestOf(layer)] } },
    ]);
    const { run, calls } = answering({
      'docker version': {},
      'docker load': {},
      'docker image': { out: Buffer.from(other) },
    });
    const sink = await openSink('docker-daemon:app:1', { run, ...temporaries() });
    await sink.write(image.root, image.read(image.root));
    await sink.abort();
    expect(calls.splice(0)).toEqual(['docker version']);
    expect(await failureOf(write('docker-daemon:app:1', image, run))).toMatchObject({
      code: 'CONTENT_MISMATCH',
      message: expect.stringContaining(image.config.digest),
    });
    expect(calls).toEqual(['docker version', 'docker load', 'docker image inspect app:1']);
    expect(readdirSync(folder('temporary'))).toEqual([]);
  });

  it('is asked whether it is there before anything is pulled', async () => {
    const { run } = answering({ 'docker version': { err: 'Cannot connect to the Docker daemon' } });
    expect(
      await failureOf(openSink('docker-daemon:app:1', { run, ...temporaries() })),
    ).toMatchObject({ code: 'UNREACHABLE' });
    expect(readdirSync(folder('temporary'))).toEqual([]);
  });

  it('of containerd, whose IDs are of manifests, is known by its layers', async () => {
    const answer = (layers: readonly string[]): RunProgram => {
      const out = Buffer.from(
        JSON.stringify([{ Id: digestOf('x'), Descriptor: {}, RootFS: { Layers: layers } }]),
      );
      return answering({ 'docker version': {}, 'docker load': {}, 'docker image': { out } }).run;
    };
    await write('docker-daemon:app:1', image, answer([digestOf(layer)]));
    expect(
      await failureOf(write('docker-daemon:app:1', image, answer([digestOf('y')]))),
    ).toMatchObject({ code: 'CONTENT_MISMATCH' });
  });

  it('is no place for what is not an image to run', async () => {
    const { run, calls } = answering({});
    for (const more of [{ artifactType: 'application/x' }, { name: 'other' }]) {
      expect(await failureOf(openSource('docker-daemon:app:1', { run, ...more }))).toMatchObject({
        code: 'INPUT_INVALID',
      });
    }
    expect(calls).toEqual([]);
  });
});

describe.skipIf(!hasDockerDaemon)('a docker daemon', () => {
  let daemon: DockerDaemon;
  const run: RunProgram = (call) =>
    runProgram({
      ...call,
      command: 'docker',
      args: ['--host', daemon.env['DOCKER_HOST'] ?? '', ...call.args],
    });

  beforeAll(async () => {
    daemon = await startDockerDaemon();
  }, 70_000);

  afterAll(() => daemon.close());

  it('takes an image and gives it back, by name and by ID', async () => {
    const zstd = imageOf([layer, rawTar({ path: 'other', content: Buffer.alloc(100_000) })]);
    await write('docker-daemon:team/app:1', image, run);
    await write('docker-daemon:team/app:2', zstd, run);
    const expected = { id: image.config.digest, file: 'hello.txt' };
    const names = ['team/app:1', image.config.digest, image.config.digest.slice(7, 19)];
    for (const name of names) expect(await read(`docker-daemon:${name}`, run)).toEqual(expected);
    const missing = await failureOf(openSource('docker-daemon:team/none', { run }));
    expect(missing).toMatchObject({ code: 'NOT_FOUND' });
  }, 60_000);

  it('has nothing of a load that is broken off', async () => {
    const controller = new AbortController();
    const breaking: RunProgram = (call) =>
      run(call.args[0] === 'load' ? { ...call, stdin: cut(call.stdin ?? [], controller) } : call);
    const sink = await openSink('docker-daemon:team/app:9', {
      run: breaking,
      signal: controller.signal,
      ...temporaries(),
    });
    for (const one of [...image.layers, image.config, image.root]) {
      await sink.write(one, image.read(one));
    }
    expect(await failureOf(sink.commit(image.root))).toBe(controller.signal.reason);
    const found = await run({ command: 'docker', args: ['image', 'inspect', 'team/app:9'] });
    expect(found.stderr).toMatch(/No such image/i);
    expect(readdirSync(folder('temporary'))).toEqual([]);
  }, 60_000);
});

async function* cut(
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  controller: AbortController,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    yield chunk.subarray(0, 700);
    controller.abort(new Error('enough'));
    return;
  }
}

describe('containers-storage', () => {
  /** Only these tools, with a store in the test's folder. */
  function only(...tools: readonly string[]): RunProgram {
    const configuration = folder('storage.conf');
    const lines = ['[storage]', 'driver = "vfs"'];
    for (const [key, path] of [
      ['graphroot', folder('root')],
      ['runroot', folder('run')],
    ]) {
      lines.push(`${key} = ${JSON.stringify(path)}`);
    }
    writeFileSync(configuration, lines.join('\n'));
    return async ({ command, args, ...rest }) => {
      if (!tools.includes(command)) throw new ProgramMissingError(`no ${command}`);
      const env = `CONTAINERS_STORAGE_CONF=${configuration}`;
      return runProgram({ ...rest, command: 'env', args: [env, command, ...args] });
    };
  }

  it.skipIf(!hasTool('podman', 'buildah', 'skopeo'))(
    'takes an image by podman, and gives it back by each of its tools',
    async () => {
      await write('containers-storage:localhost/team/app:1', image, only('podman'));
      const expected = { id: image.config.digest, file: 'hello.txt' };
      for (const tool of ['podman', 'buildah', 'skopeo']) {
        expect(await read('containers-storage:localhost/team/app:1', only(tool))).toEqual(expected);
        const failure = await failureOf(
          openSource('containers-storage:localhost/none:1', { run: only(tool) }),
        );
        expect(failure).toMatchObject({
          code: 'NOT_FOUND',
          message: expect.stringContaining(`${tool} does not have it`),
        });
      }
    },
    60_000,
  );

  it.skipIf(!hasTool('buildah'))('is written by podman only', async () => {
    const failure = await failureOf(write('containers-storage:app:1', image, only('buildah')));
    expect(failure).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/there is no podman on the PATH/),
    });
  });
});
