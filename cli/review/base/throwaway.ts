import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RegionServer } from "@emqx-aws/simulator/server";
import type { Speaker } from "../../console";
import { UserError } from "../../console";
import type { Cli } from "../../engine/findCli";
import { obtainCli } from "../../engine/obtainCli";
import { requiredVersion } from "../../engine/version";
import type { RunResult } from "../../local/literalCli";
import { runLiteralCli } from "../../local/literalCli";
import type { Surroundings } from "../../local/surroundings";
import { createFolders, environment, surroundingsOf } from "../../local/surroundings";
import { deploymentSecrets } from "../preview/secrets";
import { provideOutside } from "./outside";
import type { Project, StackSettings } from "./stackSettings";

/** A simulated region in this process with an engine's state beside it. Nothing of it is left afterwards. */
interface Throwaway {
  folder: string;
  region: RegionServer;
  cli: Cli;
  env: NodeJS.ProcessEnv;
}

export async function withThrowaway<T>(
  env: NodeJS.ProcessEnv,
  speaker: Speaker,
  work: (throwaway: Throwaway) => Promise<T>,
): Promise<T> {
  const cli = await obtainCli(requiredVersion(), env, speaker);
  const folder = mkdtempSync(join(tmpdir(), "emqx-aws-review-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  const region = await RegionServer.start();
  try {
    return await work({ folder, region, cli, env });
  } finally {
    await region.close();
    remove();
    process.off("exit", remove);
  }
}

export async function createStack(throwaway: Throwaway, project: Project, stack: string): Promise<void> {
  const surroundings = surroundingsFor(throwaway, project);
  createFolders(surroundings);
  // The CLI writes a salt beside Pulumi.yaml; the revision's own files stay as they are.
  const cwd = join(throwaway.folder, "stack");
  mkdirSync(cwd, { recursive: true });
  writeFileSync(join(cwd, "Pulumi.yaml"), `name: ${project.name}\nruntime: nodejs\n`);
  const result = await pulumi(throwaway, surroundings, ["stack", "init", "--no-select", stack], cwd);
  if (result.exitCode !== 0) throw new UserError(`the stack cannot be made:\n${result.stderr.trim()}`);
}

/** Brings the region to what a revision describes. */
export async function deploy(
  throwaway: Throwaway,
  project: Project,
  stack: string,
  settings: StackSettings,
): Promise<void> {
  const result = await run(throwaway, project, stack, settings, ["up", "--yes", "--skip-preview"]);
  if (result.exitCode !== 0) {
    throw new UserError(
      `the base revision cannot be deployed into the simulated region, so there is nothing to compare with:\n` +
        lastLines(`${result.stdout}\n${result.stderr}`, 30),
    );
  }
}

export interface Previewed {
  /** What `pulumi preview --json` wrote, unchanged resources included. */
  text: string;
  hasFailed: boolean;
}

/** The engine's own preview of a revision. */
export async function preview(
  throwaway: Throwaway,
  project: Project,
  stack: string,
  settings: StackSettings,
  flags: readonly string[] = [],
): Promise<Previewed> {
  const result = await run(throwaway, project, stack, settings, [
    "preview",
    "--json",
    "--show-sames",
    ...flags,
  ]);
  // A program that refuses its settings makes the preview fail too; then the document says why.
  if (!result.stdout.includes("{")) {
    throw new UserError(`the preview failed:\n${lastLines(`${result.stdout}\n${result.stderr}`, 30)}`);
  }
  return { text: result.stdout, hasFailed: result.exitCode !== 0 };
}

async function run(
  throwaway: Throwaway,
  project: Project,
  stack: string,
  settings: StackSettings,
  args: string[],
): Promise<RunResult> {
  provideOutside(throwaway.region.cloud.account, settings);
  // A file for every run: the engine writes into it, and previews may run side by side.
  const file = join(mkdtempSync(join(throwaway.folder, "settings-")), `Pulumi.${stack}.yaml`);
  writeFileSync(file, settings.file);
  const flags = ["--stack", stack, "--config-file", file, "--non-interactive", "--color", "never"];
  return pulumi(throwaway, surroundingsFor(throwaway, project), [...args, ...flags], project.folder);
}

function pulumi(
  { cli, env, region }: Throwaway,
  surroundings: Surroundings,
  args: string[],
  cwd: string,
): Promise<RunResult> {
  return runLiteralCli(cli, args, {
    cwd,
    env: environment(surroundings, cli, { ...env, PULUMI_STACK: undefined }, { providerPort: region.port }),
    capture: "all",
  });
}

function surroundingsFor({ folder }: Throwaway, project: Project): Surroundings {
  return surroundingsOf(project.folder, join(folder, "engine"));
}

function lastLines(text: string, count: number): string {
  return text.trim().split("\n").slice(-count).join("\n");
}

/** The secrets of the deployment. The engine hides them; whatever slipped past it is found by its value. */
export async function generatedSecrets(
  throwaway: Throwaway,
  project: Project,
  stack: string,
): Promise<string[]> {
  const args = ["stack", "export", "--show-secrets", "--stack", stack];
  const result = await pulumi(throwaway, surroundingsFor(throwaway, project), args, project.folder);
  if (result.exitCode !== 0) throw new UserError(`the stack cannot be exported:\n${result.stderr.trim()}`);
  return deploymentSecrets(JSON.parse(result.stdout) as Parameters<typeof deploymentSecrets>[0]);
}
