/** Prints the results of jest's runs as one line: "N passed, N failed[, N skipped]". */
import { readFileSync } from "node:fs";
import process from "node:process";

/** Arguments: a file of results and the run's exit code, for every run. */
const runs = process.argv.slice(2);
const sum = { passed: 0, failed: 0, skipped: 0 };

function readCounts(file) {
  try {
    const result = JSON.parse(readFileSync(file, "utf8"));
    return {
      passed: result.numPassedTests,
      // A test file that does not even load has no tests to count, and must not go unnoticed.
      failed: result.numFailedTests + result.numRuntimeErrorTestSuites,
      skipped: result.numPendingTests + result.numTodoTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

for (let index = 0; index < runs.length; index += 2) {
  const counts = readCounts(runs[index]);
  // Jest can also fail as a whole when every test has passed, for instance at a coverage threshold.
  if (counts.failed === 0 && runs[index + 1] !== "0") counts.failed = 1;
  for (const name of Object.keys(sum)) sum[name] += counts[name];
}
const { passed, failed, skipped } = sum;
process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
