/** `npm run bench` compares like with like: what is written by hand for it is what the components make. */
import { spawnSync } from "node:child_process";
import { repositoryRoot } from "@emqx-aws/cli/repository";
import { obtainTimeout, prepareCli } from "../engine/harness";

beforeAll(prepareCli, obtainTimeout);

test("both programs register the same resources, and the table says so", () => {
  const args = ["--import", "tsx", "bench/main.ts", "--sizes", "2", "--repeat", "1"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: repositoryRoot,
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([0, "2 nodes: round 1 of 1\n"]);
  expect(stdout).toMatch(/│ +2 │ in the cloud +│ +(\d+) │ +\1 │ +1\.00 │/);
  expect(stdout).toMatch(/│ +2 │ preview, s +│ +[\d.]+ │ +[\d.]+ │ +[\d.]+ │/);
}, 120_000);
