import * as z from 'zod';

import { InputError } from '../errors.ts';
import { parseReference } from '../oci/index.ts';
import { digestReferenceOf, TransferResult } from '../transfer/index.ts';

/** Which image of the manifests becomes which one. */
export interface ImagePin {
  /** As the manifests have it: `app`, `team/app`, `app:1`. */
  readonly name: string;
  /** `host/repository[:tag]@digest` */
  readonly reference: string;
}

/** As much of a result as names an image: of a push or a copy. */
const Pushed = z.looseObject(TransferResult.shape).partial({ plan: true });

/**
 * Parses `NAME=REFERENCE`; `NAME=@FILE` takes the reference from the result of a push.
 *
 * @param readFile Gives the text of a file.
 * @throws {InputError} if the reference has no digest: a tag may be another image a moment later.
 */
export async function parseImagePin(
  text: string,
  readFile: (path: string) => Promise<string>,
): Promise<ImagePin> {
  const equals = text.indexOf('=');
  const [name, value] = [text.slice(0, Math.max(0, equals)), text.slice(equals + 1)];
  if (!name || !value) {
    throw new InputError(
      `Cannot use image "${text}": want NAME=HOST/REPOSITORY[:TAG]@DIGEST, or NAME=@FILE with the result of \`image push -o json\``,
    );
  }
  if (!value.startsWith('@')) return { name, reference: pinnedReference(value) };
  const file = value.slice(1);
  return { name, reference: referenceIn(await readResult(file, readFile), file) };
}

/** The pin of what was just pushed or copied. @throws {InputError} if it was a dry run. */
export function pinOf(name: string, result: TransferResult): ImagePin {
  return { name, reference: referenceIn(result, 'the result') };
}

function referenceIn(result: TransferResult, origin: string): string {
  if (result.dryRun) {
    throw new InputError(`Cannot deploy from ${origin}: it was a dry run, nothing was pushed`);
  }
  return pinnedReference(digestReferenceOf(result));
}

function pinnedReference(text: string): string {
  const { digest } = parsed(text);
  if (digest !== undefined) return text;
  throw new InputError(
    `Cannot deploy "${text}": it has no digest, and a tag may name another image tomorrow; want ${text}@sha256:…, as \`image push -o name\` prints it`,
  );
}

function parsed(text: string): ReturnType<typeof parseReference> {
  try {
    return parseReference(text);
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new InputError(said, { cause });
  }
}

async function readResult(
  file: string,
  readFile: (path: string) => Promise<string>,
): Promise<TransferResult> {
  const wrong = (cause: unknown): InputError =>
    new InputError(
      `Cannot take an image from ${file}: it is no result of a push; want what \`reposure image push … -o json\` printed`,
      { cause },
    );
  let text: string;
  try {
    text = await readFile(file);
  } catch (cause) {
    throw new InputError(
      `Cannot read ${file}: want the result of \`reposure image push … -o json\``,
      {
        cause,
      },
    );
  }
  try {
    return Pushed.parse(JSON.parse(text));
  } catch (cause) {
    throw wrong(cause instanceof SyntaxError ? cause : undefined);
  }
}
