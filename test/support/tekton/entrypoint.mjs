// Stands for Tekton's entrypoint in the Pods of the tests: waits for the step before, runs the step's command,
// reads the results, and lets the next step begin. `node entrypoint.mjs /tekton/run BASE64-OF-JSON`.
// See https://github.com/tektoncd/pipeline/blob/v1.9.0/pkg/entrypoint/entrypointer.go
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const [, , run, encoded] = process.argv;
const step = JSON.parse(Buffer.from(encoded, 'base64').toString());
// In the embedded cluster, whose containers have no file system of their own, mounts lie in a folder.
const root = run.slice(0, -'/tekton/run'.length);
const mounts = step.mountPaths.toSorted((a, b) => b.length - a.length).map(escaped);
const mounted = new RegExp(`(?<![\\w.-])(?:${mounts.join('|')})(?![\\w.-])`, 'g');
const maxMessageBytes = 4096;

process.exitCode = await main();

async function main() {
  const folder = `${root}/tekton/steps/${step.name}/results`;
  mkdirSync(folder, { recursive: true });
  if (step.after !== undefined && !(await succeeded(step.after)))
    return skip('previous step failed', 1);
  if (!step.when.every(holds)) {
    writeFileSync(`${run}/${step.name}.out`, '');
    return skip('when expressions evaluated to false', 0);
  }
  const words = step.words.flatMap(withStepResults).map(onThisMachine);
  const status = await runToEnd(words);
  const results = [
    ...step.results.map((name) => read('/tekton/results', name, 1)),
    ...step.stepResults.map((name) => read(`/tekton/steps/${step.name}/results`, name, 4)),
  ];
  const message = JSON.stringify(results.filter(Boolean));
  const isTooLarge = Buffer.byteLength(message) > maxMessageBytes;
  const isGood = !isTooLarge && (status === 0 || step.onError === 'continue');
  writeFileSync(`${root}/tekton/steps/${step.name}/exitCode`, String(status));
  writeFileSync(`${run}/${step.name}${isGood ? '.out' : '.out.err'}`, '');
  process.stdout.write(`\n::results::${isTooLarge ? '[]' : message}\n::exit::${status}\n`);
  return isGood ? 0 : status || 1;
}

async function succeeded(name) {
  for (;;) {
    if (existsSync(`${run}/${name}.out`)) return true;
    if (existsSync(`${run}/${name}.out.err`)) return false;
    await delay(20);
  }
}

function skip(why, status) {
  if (status !== 0) writeFileSync(`${run}/${step.name}.out.err`, '');
  process.stdout.write(`\nskipped: ${why}\n::results::[]\n::exit::${status}\n`);
  return status;
}

function holds({ input, operator, values }) {
  return values.includes(withStepResults(input)[0]) === (operator === 'in');
}

/** `$(steps.NAME.results.RESULT)`, and `[*]` of an array as a whole word: an empty one leaves an empty word. */
function withStepResults(word) {
  const whole = /^\$\(steps\.([\w-]+)\.results\.([\w-]+)\[\*\]\)$/.exec(word);
  if (whole) {
    const words = JSON.parse(stepResult(whole[1], whole[2]));
    return words.length > 0 ? words : [''];
  }
  return [
    word.replace(/\$\(steps\.([\w-]+)\.results\.([\w-]+)\)/g, (_, name, result) =>
      stepResult(name, result),
    ),
  ];
}

function stepResult(name, result) {
  return readFileSync(`${root}/tekton/steps/step-${name}/results/${result}`, 'utf8');
}

function onThisMachine(word) {
  return root === '' ? word : word.replace(mounted, (path) => root + path);
}

function runToEnd([file, ...args]) {
  const { REPOSURE_LOCAL_LIFELINE: _, ...env } = process.env;
  // What the embedded cluster loads before its programs holds for the step, too.
  const options = process.execArgv.length > 0 ? { NODE_OPTIONS: process.execArgv.join(' ') } : {};
  const child = spawn(file, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...env, ...options },
  });
  return new Promise((resolve) => {
    child.on('error', (error) => {
      process.stderr.write(`${error.message}\n`);
      resolve(127);
    });
    child.on('exit', (code, signal) => resolve(signal ? 137 : code));
  });
}

function read(folder, name, type) {
  const file = `${root}${folder}/${name}`;
  return existsSync(file) ? { key: name, value: readFileSync(file, 'utf8'), type } : undefined;
}

function escaped(text) {
  return text.replace(/[/.*+?^${}()|[\]\\]/g, '\\$&');
}
