import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * The programs of this file's Pulumi commands run in one process, by the SDK's runner, instead of one each, which is a third of a
 * command's time. For files that are about what is deployed; those about how programs are run, fail and are interrupted do
 * without. Say it before an engine is made, which takes the environment as it is.
 */
export function residentPrograms(): void {
  const folder = mkdtempSync(join(tmpdir(), "emqx-aws-resident-"));
  const socket = join(folder, "socket");
  process.env.EMQX_AWS_RESIDENT = socket;
  process.env.PULUMI_LANGUAGE_NODEJS_RUN_PATH = join(__dirname, "runner.cjs");
  let end = () => {};
  beforeAll(async () => {
    const resident = spawn(process.execPath, [join(__dirname, "main.cjs"), socket], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    end = () => resident.stdin.end();
    await once(resident.stdout, "data");
  });
  afterAll(() => {
    end();
    rmSync(folder, { recursive: true });
  });
}
