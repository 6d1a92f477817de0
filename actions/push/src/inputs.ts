import {
  flag,
  optional,
  parsedBy,
  required,
  sourceText,
  summaryInput,
  timeoutInput,
  transferInputs,
  withDefault,
  wordsOf,
} from '@reposure/action-shared';
import { parsePlatform } from '@reposure/core/oci';
import * as z from 'zod';

import { parseTags } from './tags.ts';

/** The inputs of this step. */
export const Inputs = z
  .object({
    source: required(
      'What to push. A path is told by its content; oci:DIR, oci-archive:FILE, docker-archive:FILE and file:PATH say it themselves; docker-daemon:NAME and containers-storage:NAME are images of this runner, docker://HOST/NAME is one in another registry',
      sourceText,
    ),
    tags: required(
      'Where it goes, as repository:tag; several by lines, commas or spaces; "#" begins a comment',
      parsedBy(parseTags),
    ),
    ...transferInputs,
    platforms: optional(
      'Only these of an index, e.g. linux/amd64,linux/arm64',
      parsedBy((text) => wordsOf(text).map((word) => parsePlatform(word))),
    ),
    timeout: timeoutInput('30m'),
    'dry-run': withDefault('false', 'Say what would travel, and send nothing', flag),
    'verify-pull': withDefault(
      'false',
      'Have a node pull what was pushed, by a Pod in the namespace that runs nothing and is removed; fails if it cannot',
      flag,
    ),
    summary: summaryInput,
  })
  .check(({ value, issues }) => {
    if (!value['verify-pull'] || !value['dry-run']) return;
    const message = 'contradicts "dry-run": nothing is there to be pulled';
    issues.push({ code: 'custom', path: ['verify-pull'], message, input: value });
  });
export type Inputs = z.infer<typeof Inputs>;
