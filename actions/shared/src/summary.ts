import * as runner from '@actions/core';
import { explain } from '@reposure/core';
import type { Log } from '@reposure/core';

import { redacted } from './secrets.ts';

/** What the job's page shows of a step. */
export interface Summary {
  readonly heading: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A step that failed: what it was to do, and why it did not. */
export function failureSummary(title: string, subjects: readonly string[], cause: string): Summary {
  return {
    heading: `${title} failed`,
    columns: ['What', 'Cause'],
    rows: (subjects.length > 0 ? subjects : ['–']).map((subject) => [subject, cause]),
  };
}

/** Writes it where there is a page: a runner without one (GHES, Gitea) does its work all the same. */
export async function writeSummary(summary: Summary, log: Log): Promise<void> {
  try {
    await runner.summary
      .addHeading(summary.heading, 3)
      .addTable([
        summary.columns.map((data) => ({ data, header: true })),
        ...summary.rows.map((row) => row.map((text) => htmlOf(redacted(text)))),
      ])
      .write();
  } catch (error) {
    log.info(`No summary was written: ${explain(error)}`);
  }
}

/** A registry's own words are text, whatever is in them. */
function htmlOf(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
