/**
 * Every change of changes.ts, deployed and previewed by the real engine, against its golden report. After reading the
 * differences: UPDATE_GOLDEN=1 npx jest cli/test/review/changes
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Preview } from "../../review/preview/read";
import { readPreview } from "../../review/preview/read";
import { jsonOf } from "../../review/report/json";
import { longestComment, markdownOf } from "../../review/report/markdown";
import { reviewOf } from "../../review/review";
import { residentPrograms } from "../../../test/run/resident";
import { changes } from "./changes";
import { stack, withBase } from "./harness";

const subject = { stack, base: "main" };

interface Made {
  report: string;
  json: string;
}

const made = new Map<string, Made>();
let secrets: string[] = [];
residentPrograms();

beforeAll(async () => {
  await withBase({}, async (bench) => {
    for (const [name, change] of Object.entries(changes)) {
      const { text, hasFailed } = await bench.preview(change);
      const preview = readPreview(text, name, { hasFailed });
      made.set(name, {
        report: reportOf(preview),
        json: JSON.stringify(jsonOf(reviewOf(preview, subject))),
      });
    }
    secrets = bench.secrets;
  });
}, 1_200_000);

function reportOf(preview: Preview): string {
  return markdownOf(reviewOf(preview, subject));
}

describe.each(Object.keys(changes))("%s", (name) => {
  it("has the report that was read and approved", () => {
    const file = join(__dirname, "golden", `${name}.md`);
    const report = made.get(name)?.report ?? "";
    if (process.env.UPDATE_GOLDEN) writeFileSync(file, report);
    expect(report).toBe(existsSync(file) ? readFileSync(file, "utf8") : "");
  });

  it("fits into a comment and has no secret in it", () => {
    const { report = "", json = "" } = made.get(name) ?? {};
    expect(Buffer.byteLength(report)).toBeLessThanOrEqual(longestComment);
    // The cookie, with and without its first letter, and two passwords.
    expect(secrets).toHaveLength(4);
    for (const secret of secrets) {
      expect(report).not.toContain(secret);
      expect(json).not.toContain(secret);
    }
  });
});
