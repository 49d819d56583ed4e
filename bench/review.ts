/** How long a whole review of `prod` without credentials takes, from the command to the report. Goal: under 20 s. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(__dirname, "..");
const goalSeconds = 20;

const start = performance.now();
const { status, stderr } = spawnSync(
  process.execPath,
  [join(root, "cli/bin/emqx-aws.mjs"), "review", "--stack", "prod", "--base", "HEAD"],
  { cwd: root, encoding: "utf8" },
);
if (status !== 0) {
  throw new Error(`the review ended with exit code ${status}:\n${stderr}`);
}
const seconds = (performance.now() - start) / 1000;
const verdict = seconds < goalSeconds ? "within" : "over";
console.log(
  `Review of prod without credentials: ${seconds.toFixed(1)} s, ${verdict} the goal of ${goalSeconds} s.`,
);
