/** Where a page is followed: a copy of the repository with a simulated region of its own, and a shell in it. */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stopRegion } from "@emqx-aws/cli/local/regionProcess";
import { surroundingsOf } from "@emqx-aws/cli/local/surroundings";
import { repositoryRoot } from "@emqx-aws/cli/repository";
import { firstMissing } from "./match";
import type { Command, Page } from "./page";

const copied =
  "cli components simulator stacks examples/hosts index.ts package.json tsconfig.json tsconfig.pulumi.json Pulumi.yaml";

export class Workplace {
  readonly folder = mkdtempSync(join(tmpdir(), "emqx-aws-page-"));

  /** `prelude` is what readers are told to type first. */
  constructor(private readonly prelude: string) {
    for (const name of copied.split(" ")) {
      if (existsSync(join(repositoryRoot, name))) {
        cpSync(join(repositoryRoot, name), join(this.folder, name), { recursive: true });
      }
    }
    symlinkSync(join(repositoryRoot, "node_modules"), join(this.folder, "node_modules"));
  }

  /** Does what a page says, to its end or to the first thing that is not as the page says. */
  async follow(page: Page): Promise<void> {
    for (const command of page.commands) await this.execute(page.file, command);
  }

  async end(): Promise<void> {
    await stopRegion(surroundingsOf(this.folder));
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 });
  }

  private async execute(file: string, command: Command): Promise<void> {
    const { exitCode, printed } = await this.shell(command.text);
    const missing = firstMissing(command.output, printed);
    const problems = [
      ...(exitCode === command.exitCode ? [] : [`exit code ${exitCode} instead of ${command.exitCode}`]),
      ...(missing === undefined ? [] : [`not printed, or not there: ${missing}`]),
    ];
    if (problems.length > 0) {
      throw new Error(
        `${file}:${command.line}\n$ ${command.text}\n${problems.join("\n")}\nIt printed:\n${printed}`,
      );
    }
  }

  private shell(text: string): Promise<{ exitCode: number; printed: string }> {
    const child = spawn("bash", ["-c", `${this.prelude}\n${text}`], {
      cwd: this.folder,
      env: { ...process.env, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data: Buffer) => output.push(data));
    }
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      // The region outlives the command that starts it; its output goes to a file.
      child.once("close", (code) =>
        resolve({ exitCode: code ?? -1, printed: Buffer.concat(output).toString() }),
      );
    });
  }
}
