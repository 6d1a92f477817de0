import { isMet, median } from './arithmetic.ts';
import type { Bar } from './arithmetic.ts';
import type { CaseResult, Comparison } from './bench.ts';
import { GiB, MiB } from './images.ts';
import type { Run } from './rounds.ts';

/** A case that was run, or why it was not. */
export interface Outcome {
  readonly name: string;
  readonly title: string;
  readonly result?: CaseResult;
  /** What it could not do without. */
  readonly missing?: readonly string[];
  /** Why it came to no end. */
  readonly failure?: string;
}

/** One contestant of one comparison, over all rounds. */
export interface Row {
  readonly work: string;
  readonly by: string;
  readonly seconds: { readonly median: number; readonly min: number; readonly max: number };
  readonly mebibytesPerSecond?: number;
  /** Of the client and what it started. */
  readonly cpuSeconds: number;
  readonly cpuSecondsPerGib?: number;
  /** Of the whole machine meanwhile. */
  readonly machineCpuSeconds: number;
  readonly peakMegabytes: number;
  /** Of the cluster's parts: seconds of processor. */
  readonly parts: Readonly<Record<string, number>>;
}

/** The rows of a comparison. */
export function rowsOf({ title, bytes, standings }: Comparison): readonly Row[] {
  return [...standings].map(([by, runs]) => rowOf(title, bytes, [by, runs]));
}

function rowOf(
  work: string,
  bytes: number | undefined,
  [by, runs]: readonly [string, readonly Run[]],
): Row {
  const seconds = runs.map((run) => run.seconds);
  const middle = median(seconds);
  const cpuSeconds = median(runs.map((run) => run.cpuSeconds));
  return {
    work,
    by,
    seconds: { median: middle, min: Math.min(...seconds), max: Math.max(...seconds) },
    ...(bytes && { mebibytesPerSecond: bytes / MiB / middle }),
    cpuSeconds,
    ...(bytes && { cpuSecondsPerGib: (cpuSeconds * GiB) / bytes }),
    machineCpuSeconds: median(runs.map((run) => run.machineCpuSeconds)),
    peakMegabytes: Math.max(...runs.map((run) => run.peakBytes)) / 1e6,
    parts: partsOf(runs),
  };
}

function partsOf(runs: readonly Run[]): Record<string, number> {
  const names = new Set(runs.flatMap((run) => [...run.parts.keys()]));
  return Object.fromEntries(
    [...names].map((name) => [
      name,
      median(runs.map((run) => run.parts.get(name)?.cpuSeconds ?? 0)),
    ]),
  );
}

/** A case in Markdown, which reads as well on a terminal. */
export function describeOutcome({ name, title, result, missing, failure }: Outcome): string {
  const parts = [`## ${title}\n\n\`npm run bench -- ${name}\``];
  if (missing) parts.push(`Not run: needs ${missing.join(', ')}.`);
  if (failure !== undefined) parts.push(`Failed: ${failure}`);
  if (result) {
    parts.push(measuredTable(result.comparisons.flatMap(rowsOf)), barTable(result.bars));
  }
  return parts.join('\n\n');
}

function measuredTable(rows: readonly Row[]): string {
  const head = [
    'Work',
    'By',
    'Seconds',
    'Least–most',
    'MiB/s',
    'CPU s',
    'CPU s/GiB',
    'Machine CPU s',
    'Peak MB',
    'CPU s of the cluster',
  ];
  const cells = rows.map((row) => [
    row.work,
    row.by,
    row.seconds.median.toFixed(2),
    `${row.seconds.min.toFixed(2)}–${row.seconds.max.toFixed(2)}`,
    row.mebibytesPerSecond?.toFixed(0) ?? '',
    row.cpuSeconds.toFixed(2),
    row.cpuSecondsPerGib?.toFixed(2) ?? '',
    row.machineCpuSeconds.toFixed(2),
    row.peakMegabytes.toFixed(0),
    Object.entries(row.parts)
      .map(([part, seconds]) => `${part} ${seconds.toFixed(2)}`)
      .join(', '),
  ]);
  return table([head, ...cells], [2, 4, 5, 6, 7, 8]);
}

function barTable(bars: readonly Bar[]): string {
  const cells = bars.map((bar) => {
    const [sign, limit] =
      'atMost' in bar.limit ? ['≤', bar.limit.atMost] : ['≥', bar.limit.atLeast];
    const unit = bar.unit ? ` ${bar.unit}` : '';
    const want = `${sign} ${Number(limit.toFixed(2))}${unit}`;
    const measured = `${bar.actual.toFixed(2)}${unit}`;
    const verdict = isMet(bar) ? 'pass' : 'MISS';
    const others = [bar.atBest, bar.bare].map((value) => value?.toFixed(2) ?? '');
    return [bar.what, want, measured, verdict, ...others];
  });
  return table(
    [['Bar', 'Want', 'Measured', '', 'At best here', 'Bare way'], ...cells],
    [1, 2, 4, 5],
  );
}

/** @param numeric Which columns are numbers. */
function table(rows: readonly (readonly string[])[], numeric: readonly number[]): string {
  const [head = [], ...body] = rows;
  const widths = head.map((_, at) => Math.max(3, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string => {
    const cells = row.map((cell, at) => {
      const width = widths[at] ?? 0;
      return numeric.includes(at) ? cell.padStart(width) : cell.padEnd(width);
    });
    return `| ${cells.join(' | ')} |`;
  };
  const rule = widths.map((width, at) =>
    numeric.includes(at) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  );
  return [line(head), line(rule), ...body.map(line)].join('\n');
}
