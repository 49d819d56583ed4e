import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RegionServer } from "../../../simulator/server";
import type { Speaker } from "../../console";
import { UserError } from "../../console";
import type { Cli } from "../../engine/findCli";
import { obtainCli } from "../../engine/obtainCli";
import { requiredVersion } from "../../engine/version";
import type { RunResult } from "../../local/literalCli";
import { runLiteralCli } from "../../local/literalCli";
import type { Surroundings } from "../../local/surroundings";
import { createFolders, environment, surroundingsOf } from "../../local/surroundings";
import { types } from "../types";
import { provideOutside } from "./outside";
import type { Project, StackSettings } from "./stackSettings";

/** A simulated region in this process with an engine's state beside it. Nothing of it is left afterwards. */
export interface Throwaway {
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

/** The engine's own preview of a revision: the text of `pulumi preview --json`, unchanged resources included. */
export async function preview(
  throwaway: Throwaway,
  project: Project,
  stack: string,
  settings: StackSettings,
): Promise<string> {
  const result = await run(throwaway, project, stack, settings, ["preview", "--json", "--show-sames"]);
  // A program that refuses its settings makes the preview fail, and the document says why.
  if (!result.stdout.includes("{")) {
    throw new UserError(`the preview failed:\n${lastLines(`${result.stdout}\n${result.stderr}`, 30)}`);
  }
  return result.stdout;
}

async function run(
  throwaway: Throwaway,
  project: Project,
  stack: string,
  settings: StackSettings,
  args: string[],
): Promise<RunResult> {
  provideOutside(throwaway.region.cloud.account, settings);
  const file = join(throwaway.folder, `Pulumi.${stack}.yaml`);
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
  const { PULUMI_STACK: _selected, ...rest } = env;
  return runLiteralCli(cli, args, {
    cwd,
    env: environment(surroundings, cli, rest, { providerPort: region.port }),
    capture: "all",
  });
}

function surroundingsFor({ folder }: Throwaway, project: Project): Surroundings {
  return surroundingsOf(project.folder, join(folder, "engine"));
}

function lastLines(text: string, count: number): string {
  return text.trim().split("\n").slice(-count).join("\n");
}

/** The secrets that were generated here. The engine hides them; whatever slipped past it is found by its value. */
export function generatedSecrets({ region }: Throwaway): string[] {
  const { account } = region.cloud;
  const texts = (type: string, ...keys: string[]) =>
    account
      .list(type)
      .flatMap(({ attributes }) => keys.map((key) => attributes[key]))
      .filter((value): value is string => typeof value === "string" && value !== "");
  return [
    ...texts(types.password, "result", "bcryptHash"),
    ...texts(types.privateKey, "privateKeyPem", "privateKeyOpenssh", "privateKeyPemPkcs8"),
    ...account
      .list(types.parameter)
      .filter(({ attributes }) => attributes.type === "SecureString")
      .flatMap(({ attributes }) => (typeof attributes.value === "string" ? [attributes.value] : [])),
  ];
}
