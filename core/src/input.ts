import type * as z from 'zod';

import { InputError } from './errors.ts';

/**
 * Checks what a person or a file handed in.
 *
 * @param what Names the whole in the error: "the inputs of this step".
 * @throws {InputError} with one clause per field that is wrong.
 */
export function parseInput<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const clauses = parsed.error.issues.map((issue) => {
    const path = issue.path.map(String).join('.');
    return path ? `${path}: ${issue.message}` : issue.message;
  });
  throw new InputError(`Cannot use ${what}: ${clauses.join('; ')}`);
}

/**
 * Parses a duration as kubectl takes it.
 *
 * @param text `90s`, `5m`, `1h30m`, `250ms`; a bare number is seconds.
 * @returns Milliseconds.
 * @throws {InputError} if `text` is anything else.
 */
export function parseDurationMs(text: string): number {
  const milliseconds = millisecondsIn(text);
  if (milliseconds > maxTimerMs) {
    throw new InputError(`Cannot wait for "${text}": want at most 24 days`);
  }
  return milliseconds;
}

/** Node's timers fire at once beyond this. */
const maxTimerMs = 2 ** 31 - 1;

function millisecondsIn(text: string): number {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw new InputError(`Cannot parse duration "${text}": want e.g. 90s, 5m or 1h30m`);
  }
  const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ''] ?? 0), 0);
}
