import { InputError, NotFoundError, UnreachableError, UnsupportedError } from '../errors.ts';
import type { ReposureError } from '../errors.ts';
import { ProgramMissingError } from './program.ts';
import type { ProgramCall, ProgramEnd, RunProgram } from './program.ts';
import type { TemporaryFolder } from './temporary.ts';

/** Where programs of this machine keep images, with the prefixes that skopeo has for them. */
export const storeKinds = ['docker-daemon', 'containers-storage'] as const;
export type StoreKind = (typeof storeKinds)[number];

/** An image in a store, and what is done with it. */
export interface StoredImage {
  readonly kind: StoreKind;
  /** As the store's tools know it. */
  readonly name: string;
  readonly verb: 'read' | 'write';
}

/** What tools are run with. */
export interface ToolOptions {
  readonly temporary: TemporaryFolder;
  readonly run: RunProgram;
  readonly signal?: AbortSignal | undefined;
}

/** For messages, and for whoever types it again. */
export function describeStored({ kind, name }: Pick<StoredImage, 'kind' | 'name'>): string {
  return `${kind}:${name}`;
}

/** @throws {InputError} if a tool would take the name for something else. */
export function checkStoredName(image: StoredImage): void {
  if (/^[a-z0-9][\w.:/@-]*$/i.test(image.name)) return;
  throw new InputError(
    `Cannot ${image.verb} "${describeStored(image)}": want the name of an image behind the first colon, e.g. ${image.kind}:app:1.2.3`,
  );
}

/**
 * Runs a tool that must succeed.
 *
 * @throws {ProgramMissingError} if there is no such tool.
 * @throws {NotFoundError} if it knows no such image.
 * @throws {UnreachableError} if its daemon does not answer.
 * @throws {UnsupportedError} if it fails otherwise; its own words are in the message.
 */
export async function runTool(
  image: StoredImage,
  call: ProgramCall,
  { run, signal }: ToolOptions,
): Promise<void> {
  const end = await run({ ...call, signal });
  if (end.exitCode !== 0) throw failureOf(image, call, end);
}

function failureOf(
  image: StoredImage,
  { command, args }: ProgramCall,
  { exitCode, stderr }: ProgramEnd,
): ReposureError {
  const cannot = `Cannot ${image.verb} ${describeStored(image)}`;
  const words = stderr || 'it did not say why';
  if (/no such image|image not known|not resolve to an image/i.test(stderr)) {
    // skopeo adds no localhost/ to a name, and lists nothing.
    const next = command === 'skopeo' ? 'write the whole name' : `see ${command} images`;
    return new NotFoundError(`${cannot}: ${command} does not have it (${words}); ${next}`);
  }
  if (/cannot connect to|connection refused|is the docker daemon running/i.test(stderr)) {
    return new UnreachableError(
      `${cannot}: ${words}; start the daemon, or set DOCKER_HOST to where it listens`,
    );
  }
  return new UnsupportedError(
    `${cannot}: "${[command, ...args].join(' ')}" ended with exit code ${exitCode}: ${words}; want it to succeed, or an archive in its place`,
  );
}

/** The first of several tools that is there. */
export async function firstTool<T>(
  image: StoredImage,
  tools: Readonly<Record<string, () => Promise<T>>>,
): Promise<T> {
  for (const attempt of Object.values(tools)) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ProgramMissingError)) throw error;
    }
  }
  throw new NotFoundError(
    `Cannot ${image.verb} ${describeStored(image)}: there is no ${Object.keys(tools).join(' and no ')} on the PATH; install it, or name an archive: docker-archive:FILE`,
  );
}
