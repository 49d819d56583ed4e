/**
 * What jest's runs came to. `summary.mjs failed RESULTS` prints the files that failed, one per line; `summary.mjs
 * sum RESULTS:EXITCODE[:RESULTS OF THE SECOND RUN] …` what passed only when it ran a second time, and "N passed, N failed[, N skipped]".
 */
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";

const [task, ...runs] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(file, "utf8"));
const hasFailed = ({ status }) => status === "failed";
const say = (line) => process.stdout.write(`${line}\n`);

if (task === "failed") {
  for (const { name } of read(runs[0]).testResults.filter(hasFailed)) say(name);
} else {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const run of runs) {
    const counts = countsOf(...run.split(":"));
    for (const name of Object.keys(sum)) sum[name] += counts[name];
  }
  const { passed, failed, skipped } = sum;
  say(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
}

function countsOf(file, exitCode, secondFile) {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 };
  let files = read(file).testResults;
  if (secondFile !== undefined && existsSync(secondFile)) {
    const second = read(secondFile).testResults;
    for (const { name } of files.filter(hasFailed)) sayUnsteady(name, files, second);
    files = [...files.filter(({ name }) => !second.some((one) => one.name === name)), ...second];
  }
  const tests = files.flatMap(({ assertionResults }) => assertionResults);
  const count = (...states) => tests.filter(({ status }) => states.includes(status)).length;
  const counts = { passed: count("passed"), failed: count("failed"), skipped: count("pending", "todo") };
  // A test file that does not even load has no tests to count, and must not go unnoticed.
  counts.failed += files.filter((one) => hasFailed(one) && !one.assertionResults.some(hasFailed)).length;
  // Jest can also fail as a whole when every test has passed, for instance at a coverage threshold.
  if (counts.failed === 0 && exitCode !== "0") counts.failed = 1;
  return counts;
}

function sayUnsteady(name, first, second) {
  const again = second.find((one) => one.name === name);
  if (again === undefined || hasFailed(again)) return;
  const failed = first.find((one) => one.name === name).assertionResults.filter(hasFailed);
  for (const { fullName } of failed) say(`UNSTEADY, a defect to be mended: ${name}: ${fullName}`);
}
