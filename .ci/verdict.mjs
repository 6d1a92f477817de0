// Adds up what a CI run did: `node .ci/verdict.mjs REPORT… -- FAILED-STEP…`. A skipped test counts as failed, and
// so does a step that failed, and a report that is not there.
import { readFileSync } from 'node:fs';

const words = process.argv.slice(2);
const files = words.slice(0, words.indexOf('--'));
const failures = words.slice(words.indexOf('--') + 1).map((step) => `failed: ${step}`);
const tests = files.flatMap(testsOf);
const passed = tests.filter(({ status }) => status === 'passed').length;
for (const { fullName, status } of tests) {
  if (status !== 'passed') failures.push(`${status}: ${fullName}`);
}
for (const failure of failures) process.stdout.write(`${failure}\n`);
process.stdout.write(`${passed} passed, ${failures.length} failed\n`);
process.exitCode = failures.length > 0 ? 1 : 0;

function testsOf(file) {
  try {
    const { testResults } = JSON.parse(readFileSync(file, 'utf8'));
    return testResults.flatMap(({ assertionResults }) => assertionResults);
  } catch (error) {
    return [{ status: 'no report', fullName: error.message }];
  }
}
