import { spawnSync } from "node:child_process";

/** A program that only proves something: without it a test is skipped, except on CI, where it must be there. */
export function testWith(tool: string): typeof test {
  if (process.env.CI === "true" || spawnSync(tool, ["--version"]).error === undefined) return test;
  process.stderr.write(
    `${tool} is not installed: tests that need it are skipped (apt-get install ${tool})\n`,
  );
  return test.skip as typeof test;
}
