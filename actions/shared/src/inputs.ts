import { explain, parseDurationMs } from '@reposure/core';
import * as z from 'zod';

import type { InputMeta } from './manifest.ts';

// An input is described once, here: `action.yml` and the tables of the README are made of it.

/** An input without which there is nothing to do. The runner hands over '' for what is not set, whatever `action.yml` says. */
export function required<T>(description: string, schema: z.ZodType<T, string>): z.ZodType<T> {
  return described({ description, required: true }, z.string('is required').pipe(schema));
}

/** An input that may be left out. */
export function optional<T>(
  description: string,
  schema: z.ZodType<T, string>,
): z.ZodType<T | undefined> {
  return described({ description }, schema.optional());
}

/** An input that has a default, which `action.yml` states as the workflow would. */
export function withDefault<T>(
  text: string,
  description: string,
  schema: z.ZodType<T, string>,
): z.ZodType<T> {
  return described({ description, default: text }, z.string().default(text).pipe(schema));
}

function described<T>(meta: z.input<typeof InputMeta>, schema: z.ZodType<T>): z.ZodType<T> {
  return schema.meta({ ...meta });
}

/** The text as it is. */
export const text = z.string();

/** One place that an image comes from: a second line would be another. */
export const sourceText = z
  .string()
  .trim()
  .regex(/^[^\n]+$/, 'wants one source, not several');

/** `true` or `false`. */
export const flag = z
  .enum(['true', 'false'], 'wants true or false')
  .transform((value) => value === 'true');

/** A whole number. */
const count = z.string().regex(/^\d+$/, 'wants a whole number').transform(Number);

/** Some time, as {@link parseDurationMs} takes it; milliseconds, and never none. */
export const duration = parsedBy((value) => {
  const milliseconds = parseDurationMs(value);
  if (milliseconds > 0) return milliseconds;
  throw new SyntaxError('wants more than no time at all, e.g. 90s');
});

/** Words between lines, commas and blanks; what is behind `#` is a comment. */
export function wordsOf(value: string): string[] {
  return linesOf(value)
    .flatMap((line) => line.split(/[\s,]+/))
    .filter((word) => word !== '');
}

/** What stands in lines of its own; what is behind `#` is a comment. */
export function linesOf(value: string): string[] {
  return value
    .split('\n')
    .map((line) => line.replace(/(?:^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** A parser of ours: what it throws is said under the name of the input. */
export function parsedBy<T>(parse: (value: string) => T): z.ZodType<T, string> {
  return z.string().transform((value, { issues }) => {
    try {
      return parse(value);
    } catch (error) {
      issues.push({ code: 'custom', message: explain(error), input: value });
      return z.NEVER;
    }
  });
}

/** Which cluster, and where in it. */
export const clusterInputs = {
  namespace: optional("Namespace of the Registry; the kubeconfig context's own by default", text),
  kubeconfig: optional(
    'A kubeconfig, as its text, in base64 or as a path; $KUBECONFIG or ~/.kube/config by default',
    text,
  ),
  context: optional('Context of the kubeconfig', text),
};

/** Which Registry, and how what travels gets there. */
export const transferInputs = {
  registry: withDefault('default', 'Name of the Registry resource', text),
  ...clusterInputs,
  route: withDefault(
    'auto',
    'The way in to the registry, one of auto, direct, proxy, exec',
    z.enum(['auto', 'direct', 'proxy', 'exec'], 'wants auto, direct, proxy or exec'),
  ),
  retries: withDefault('5', 'Tries after the first one, for each blob and manifest', count),
  'stall-timeout': withDefault(
    '60s',
    'Break off a request that has stood still for so long, and try it again',
    duration,
  ),
};

/** How long the whole may take. */
export function timeoutInput(byDefault: string): z.ZodType<number> {
  return withDefault(byDefault, 'Give up after so long, e.g. 90s or 10m', duration);
}

/** Whether the job's page gets a summary. */
export const summaryInput = withDefault('true', "Write a summary to the job's page", flag);
