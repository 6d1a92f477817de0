// Adds up the reports of the test runs: `node .ci/verdict.mjs STATUS REPORT…`. A skipped test counts as failed.
import { readFileSync } from 'node:fs';

const [status, ...files] = process.argv.slice(2);
const reports = files.map((file) => JSON.parse(readFileSync(file, 'utf8')));
const skipped = reports.flatMap(({ testResults }) =>
  testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter((test) => test.status !== 'passed' && test.status !== 'failed'),
  ),
);
for (const { fullName, status: how } of skipped) process.stdout.write(`${how}: ${fullName}\n`);
const sum = (field) => reports.reduce((total, report) => total + report[field], 0);
const failed = sum('numFailedTests') + skipped.length;
process.stdout.write(`${sum('numPassedTests')} passed, ${failed} failed\n`);
process.exitCode = status !== '0' || failed > 0 || reports.length === 0 ? 1 : 0;
