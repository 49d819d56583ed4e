/** table.mjs RESULTS...: what `jest --json` wrote, as the table of `npm run test:boot`. */
import { readFileSync } from "node:fs";
import process from "node:process";
import Table from "cli-table3";

const table = new Table({
  head: ["Scenario", "Seconds", "Result", "What was judged"],
  wordWrap: true,
  style: { head: [], border: [], compact: true },
  colWidths: [14, 9, 8, 66],
});
for (const file of process.argv.slice(2)) {
  for (const { assertionResults } of JSON.parse(readFileSync(file, "utf8")).testResults) {
    for (const { title, duration, status } of assertionResults) {
      const [scenario, ...judged] = title.split(": ");
      table.push([
        scenario,
        { content: Math.round((duration ?? 0) / 1000), hAlign: "right" },
        status,
        judged.join(": "),
      ]);
    }
  }
}
process.stdout.write(`${table.toString()}\n`);
