import Table from "cli-table3";
import pc from "picocolors";
import { terminalWidth } from "../cost/columns";
import type { CheckResult, SmokeResult } from "./result";

const marks = { passed: pc.green("ok"), failed: pc.red("FAILED"), skipped: pc.yellow("skipped") };

/** A table with every check and its time, then what the failures mean. */
export function formatSmoke({ stack, kind, checks, passed, milliseconds }: SmokeResult): string {
  const table = new Table({
    head: ["Check", "", "ms", "What was seen"],
    style: { head: [], border: [], compact: true },
    colAligns: ["left", "left", "right", "left"],
    // The other columns and the lines between them take 53, with times below 100 s.
    colWidths: [null, null, null, Math.max(24, Math.min(78, (terminalWidth() ?? 131) - 53))],
    wordWrap: true,
  });
  for (const { title, status, milliseconds: time, detail } of checks) {
    table.push([title, marks[status], status === "skipped" ? "" : time, detail]);
  }
  const failures = checks.filter(({ status }) => status === "failed");
  const where = kind === "simulated" ? "in the simulated region" : "in AWS";
  const seconds = (milliseconds / 1000).toFixed(1);
  const verdict = passed
    ? pc.green(`Stack ${stack} ${where} carries messages (${seconds} s).`)
    : pc.red(`Stack ${stack} ${where}: ${failures.length} of ${checks.length} checks failed (${seconds} s).`);
  return [table.toString(), ...failures.map(formatFailure), verdict].join("\n");
}

/** One failure: what, what it means, what the account says, where to look. */
export function formatFailure({ title, detail, explanation }: CheckResult): string {
  return [
    `${pc.red("×")} ${pc.bold(title)}: ${detail}`,
    ...(explanation === undefined
      ? []
      : [
          `  ${explanation.meaning}`,
          ...explanation.evidence.map((line) => `  · ${line}`),
          "  Where to look:",
          ...explanation.look.map((line) => `  - ${line}`),
        ]),
    "",
  ].join("\n");
}
