/** `npm run bench` compares like with like: what is written by hand for it is what the components make. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "@emqx-aws/cli/repository";
import { obtainTimeout, prepareCli } from "../engine/harness";

beforeAll(prepareCli, obtainTimeout);

test("both programs register the same resources, and the table says so", () => {
  const args = [
    "--require",
    "@emqx-aws/simulator/typescript.cjs",
    "bench/main.ts",
    "--sizes",
    "2",
    "--repeat",
    "1",
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: repositoryRoot,
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([0, "2 nodes: round 1 of 1\n"]);
  expect(stdout).toMatch(/│ +2 │ in the cloud +│ +(\d+) │ +\1 │ +1\.00 │ +\1 │ +1\.00 │/);
  expect(stdout).toMatch(/│ +2 │ preview, s +│( +[\d.]+ │){5}/);
}, 120_000);

test("docs/benchmarks.md shows the lines with which index.ts begins", () => {
  const [page, program] = ["docs/benchmarks.md", "index.ts"].map((file) =>
    readFileSync(join(repositoryRoot, file), "utf8"),
  );
  expect(program).toContain(/```ts\n(.*?)```/s.exec(page!)?.[1]);
});
