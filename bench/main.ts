import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { explain } from '@reposure/core';

import { Bench } from './bench.ts';
import type { BenchCase } from './bench.ts';
import { cases as all } from './cases/index.ts';
import { describeMachine } from './machine.ts';
import { parseArguments, usage } from './options.ts';
import type { Arguments } from './options.ts';
import { describeOutcome, rowsOf } from './report.ts';
import type { Outcome } from './report.ts';

// Measures Reposure beside the programs that people move images with today: the same work, on the
// same machine, in the same run, in turn. Fails if anybody says that it has done what it has not;
// a bar that is missed is shown, and is no failure.

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(): Promise<void> {
  if (process.platform !== 'linux') {
    throw new Error(
      `Cannot measure on ${process.platform}: want Linux, whose /proc tells what a process used`,
    );
  }
  const asked = parseArguments(process.argv.slice(2), all);
  if (asked.wantsHelp) {
    const lines = all.map(({ name, title }) => `  ${name.padEnd(12)} ${title}`);
    process.stdout.write(`${usage}\n\nCases, all by default:\n${lines.join('\n')}\n`);
    return;
  }
  const machine = await describeMachine();
  const outcomes: Outcome[] = [];
  const starting = Bench.start(asked, say);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      say(`${signal}: clearing up`);
      void starting.then((begun) => begun[Symbol.asyncDispose]()).finally(() => process.exit(1));
    });
  }
  const bench = await starting;
  try {
    for (const each of asked.cases) outcomes.push(await outcomeOf(each, bench));
  } finally {
    await bench[Symbol.asyncDispose]();
  }
  const text = document(asked, machine, outcomes);
  process.stdout.write(asked.isJson ? json(asked, machine, outcomes) : text);
  if (asked.writes) await writeFile(fileURLToPath(new URL('RESULTS.md', import.meta.url)), text);
  if (outcomes.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
}

async function outcomeOf(each: BenchCase, bench: Bench): Promise<Outcome> {
  const { name, title } = each;
  say(`${name}: ${title}`);
  const missing = each.missing(bench.options);
  if (missing.length > 0) {
    say(`  not run: needs ${missing.join(', ')}`);
    return { name, title, missing };
  }
  try {
    return { name, title, result: await each.run(bench) };
  } catch (error) {
    const failure = explain(error);
    say(`  failed: ${failure}`);
    return { name, title, failure };
  }
}

type Machine = Awaited<ReturnType<typeof describeMachine>>;

function document(
  { cases, rounds, link, cluster, scale }: Arguments,
  machine: Machine,
  outcomes: readonly Outcome[],
): string {
  const asked = [
    ...cases.map(({ name }) => name),
    `--rounds ${rounds} --link ${link} --cluster ${cluster} --scale ${scale}`,
  ].join(' ');
  const facts = Object.entries(machine).map(([name, text]) => `- ${name}: ${text}`);
  const intro = [
    '# What was measured',
    `Written by \`npm run bench -- ${asked} --write\`. Seconds are medians over the rounds, whole processes; ratios are medians of the ratios within each round. “Machine CPU s” is what everybody on the machine spent meanwhile, the kernel included, and “At best here” the same ratio if that had been spread over all cores with none ever waiting: a bar beyond it is out of reach of the clock, and costs processor. “Bare way” is what they have who go the same way and do nothing else, neither hashing nor going on after a loss: the way itself gives no more. Of processor’s time it is what Node alone takes, over loopback, to hash a file and send it over TLS, and to pass that on over TCP.`,
    facts.join('\n'),
  ];
  return `${[...intro, ...outcomes.map(describeOutcome)].join('\n\n')}\n`;
}

function json(asked: Arguments, machine: Machine, outcomes: readonly Outcome[]): string {
  const { rounds, link, cluster, scale } = asked;
  const results = outcomes.map(({ result, ...outcome }) => ({
    ...outcome,
    ...(result && { rows: result.comparisons.flatMap(rowsOf), bars: result.bars }),
  }));
  return `${JSON.stringify({ options: { rounds, link, cluster, scale }, machine, results }, null, 2)}\n`;
}

try {
  await main();
} catch (error) {
  say(explain(error));
  process.exitCode = 1;
}
