import * as runner from '@actions/core';
import { explain } from '@reposure/core';
import type { Log } from '@reposure/core';

import { redacted } from './secrets.ts';

/** What the job's page shows of a step. */
export interface Summary {
  readonly heading: string;
  readonly tables: readonly Table[];
  /** What is folded away: a text as it is, under a line that says what it is. */
  readonly details?: readonly (readonly [label: string, text: string])[];
}

interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A step that failed: what it was to do, and why it did not. @param message If there is nothing to name. */
export function failureSummary(
  title: string,
  causes: readonly (readonly string[])[],
  message: string,
): Summary {
  const rows = causes.length > 0 ? causes : [['–', message]];
  return { heading: `${title} failed`, tables: [{ columns: ['What', 'Cause'], rows }] };
}

/** Writes it where there is a page: a runner without one (GHES, Gitea) does its work all the same. */
export async function writeSummary(summary: Summary, log: Log): Promise<void> {
  const { heading, tables, details = [] } = summary;
  try {
    runner.summary.addHeading(heading, 3);
    for (const { columns, rows } of tables) {
      runner.summary.addTable([
        columns.map((data) => ({ data, header: true })),
        ...rows.map((row) => row.map((text) => htmlOf(redacted(text)))),
      ]);
    }
    for (const [label, text] of details) {
      runner.summary.addDetails(htmlOf(label), `<pre>${htmlOf(redacted(text))}</pre>`);
    }
    await runner.summary.write();
  } catch (error) {
    log.info(`No summary was written: ${explain(error)}`);
  }
}

/** A registry's own words are text, whatever is in them. */
function htmlOf(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
