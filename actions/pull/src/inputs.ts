import {
  flag,
  optional,
  parsedBy,
  required,
  summaryInput,
  text,
  timeoutInput,
  transferInputs,
  withDefault,
} from '@reposure/action-shared';
import { isSinkKind, parseLocation, sinkForms } from '@reposure/core/content';
import { parsePlatform } from '@reposure/core/oci';
import { parseImageName } from '@reposure/core/transfer';
import * as z from 'zod';

const places = sinkForms.join(', ');

/** The inputs of this step. */
export const Inputs = z
  .object({
    image: required(
      'What to pull: repository:tag, or repository@digest',
      parsedBy((name) => parseImageName(name)),
    ),
    to: required(
      `Where it goes, one of ${places}; with "unpack", a folder that is new or empty`,
      text,
    ),
    unpack: withDefault(
      'false',
      'Unpack all layers into the folder "to", instead of writing an image',
      flag,
    ),
    ...transferInputs,
    platform: optional(
      'Only this one of an index, e.g. linux/arm64',
      parsedBy((name) => parsePlatform(name)),
    ),
    timeout: timeoutInput('30m'),
    summary: summaryInput,
  })
  .check(({ value: { to, unpack }, issues }) => {
    const { kind, path } = parseLocation(to);
    const refuse = (message: string): void => {
      issues.push({ code: 'custom', path: ['to'], message, input: to });
    };
    if (unpack && kind !== 'bare') refuse('with the input "unpack", wants a folder');
    if (!unpack && (!isSinkKind(kind) || path === '' || path === '-')) {
      refuse(`wants one of ${places}`);
    }
  });
export type Inputs = z.infer<typeof Inputs>;
