/** Prints jest's result as one line: "N passed, N failed[, N skipped]". */
import { readFileSync } from "node:fs";
import process from "node:process";

const [, , file, exitCode] = process.argv;

function readCounts() {
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

const { passed, failed, skipped } = readCounts();
// Jest can also fail as a whole when every test has passed, for instance at a coverage threshold.
const allFailed = failed === 0 && exitCode !== "0" ? 1 : failed;
process.stdout.write(`${passed} passed, ${allFailed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
