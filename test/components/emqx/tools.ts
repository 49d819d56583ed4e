import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";

/** The environment of programs that .ci/tools installs: some are kept in the repository's cache. */
export const toolEnvironment = {
  ...process.env,
  PATH: [join(__dirname, "../../../.cache/tools/bin"), process.env["PATH"], "/usr/sbin"].join(delimiter),
};

/** A program that only proves something: without it a test is skipped, except on CI, where it must be there. */
export function testWith(tool: string): typeof test {
  const { error } = spawnSync(tool, ["--version"], { env: toolEnvironment });
  if (process.env.CI === "true" || error === undefined) return test;
  return skipped(`${tool} is not installed: tests that need it are skipped (.ci/tools installs it)`);
}

/** Says why a test cannot run here, and skips it. */
export function skipped(why: string): typeof test {
  process.stderr.write(`${why}\n`);
  return test.skip;
}
