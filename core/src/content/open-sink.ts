import type { Writable } from 'node:stream';

import { InputError } from '../errors.ts';
import type { Platform } from '../oci/index.ts';
import type { Sink } from './content.ts';
import { writing } from './disk-full.ts';
import type { Place } from './disk-full.ts';
import { dockerArchiveSink } from './docker-archive-sink.ts';
import { loadedImage } from './loaded-image.ts';
import { isSinkKind, isStoreKind, parseLocation, sinkForms } from './location.ts';
import type { SinkKind } from './location.ts';
import { ociArchiveSink } from './oci-archive-sink.ts';
import { ociFolderSink } from './oci-folder-sink.ts';
import { outputFile, outputStream } from './output-file.ts';
import type { OutputFile } from './output-file.ts';
import { runProgram } from './program.ts';
import type { RunProgram } from './program.ts';
import { TemporaryFolder } from './temporary.ts';

/** What opening a sink takes besides its place. */
export interface OpenSinkOptions {
  /** What `-` means; it stays open, and gets its first byte on commit. */
  readonly stdout?: Writable;
  /** An existing folder for what cannot go to its place at once; the system's own by default. */
  readonly temporaryDirectory?: string;
  /** Runs docker or podman; this machine's by default. */
  readonly run?: RunProgram;
  readonly signal?: AbortSignal | undefined;
  /** Which image of an index goes into a docker archive, which holds one. */
  readonly platform?: Platform | undefined;
}

/**
 * Opens a place for an image. Whoever opens it ends it, with `commit` or `abort`; a `commit` that
 * fails has done what `abort` does.
 *
 * @param text `oci:DIR[:name]` (a layout that is there is added to), `oci-archive:FILE[:name]`,
 * `docker-archive:FILE[:name]`, either with `-` for standard output; `-` alone is an OCI archive;
 * `docker-daemon:NAME`, `containers-storage:NAME`.
 * @throws {InputError} if nothing can be written there.
 */
export async function openSink(text: string, options: OpenSinkOptions = {}): Promise<Sink> {
  const { kind, path, name } = text === '-' ? standardOutput : parseLocation(text);
  if (!isSinkKind(kind) || path === '') throw unknownSink(text);
  const { signal } = options;
  if (kind === 'oci') {
    const place = { path };
    const sink = await writing(place, () => ociFolderSink(path, { name, signal }));
    return ending(sink, { blobs: place, whole: place });
  }
  const temporary = new TemporaryFolder(options.temporaryDirectory);
  try {
    return await packedSink({ kind, path, name }, temporary, options);
  } catch (error) {
    await temporary.remove();
    throw error;
  }
}

/** Whatever is written as one archive. */
async function packedSink(
  { kind, path, name }: { kind: Exclude<SinkKind, 'oci'>; path: string; name: string | undefined },
  temporary: TemporaryFolder,
  options: OpenSinkOptions,
): Promise<Sink> {
  const description = `${kind}:${path}`;
  const { run = runProgram, signal } = options;
  if (isStoreKind(kind)) {
    const { output, confirm } = await loadedImage(kind, path, { temporary, run, signal });
    const asked = { ...options, description, name: path, temporary, confirm };
    const sink = await dockerArchiveSink(output, asked);
    return ending(sink, { blobs: temporary.place, whole: temporary.place });
  }
  const whole: Place = path === '-' ? temporary.place : { path };
  return writing(whole, async () => {
    const output = await outputAt(path, temporary, options);
    if (kind === 'docker-archive') {
      const sink = await dockerArchiveSink(output, { ...options, description, name, temporary });
      return ending(sink, { blobs: temporary.place, whole });
    }
    const archive = withTemporary(output, temporary);
    const sink = await ociArchiveSink(archive, { description, name, signal });
    return ending(sink, { blobs: whole, whole });
  });
}

const standardOutput = { kind: 'oci-archive', path: '-', name: undefined } as const;

function outputAt(
  path: string,
  temporary: TemporaryFolder,
  { stdout, signal }: OpenSinkOptions,
): Promise<OutputFile> {
  if (path !== '-') return outputFile(path);
  if (!stdout) throw new InputError('Cannot write to standard output: there is none here');
  return outputStream(stdout, temporary, signal);
}

/** Where a sink keeps what arrives, and where it puts it all together. */
interface Places {
  readonly blobs: Place;
  readonly whole: Place;
}

function ending(sink: Sink, { blobs, whole }: Places): Sink {
  return {
    description: sink.description,
    has: (descriptor) => sink.has(descriptor),
    write: (descriptor, content) => writing(blobs, () => sink.write(descriptor, content)),
    commit: async (root, name) => {
      try {
        await writing(whole, () => sink.commit(root, name));
      } catch (error) {
        await sink.abort();
        throw error;
      }
    },
    abort: () => sink.abort(),
  };
}

function withTemporary(output: OutputFile, temporary: TemporaryFolder): OutputFile {
  return {
    handle: output.handle,
    publish: async (size) => {
      await output.publish(size);
      await temporary.remove();
    },
    discard: async () => {
      await output.discard();
      await temporary.remove();
    },
  };
}

function unknownSink(text: string): InputError {
  return new InputError(
    `Cannot write an image to "${text}": want ${sinkForms.join(', ')}, or - for standard output`,
  );
}
