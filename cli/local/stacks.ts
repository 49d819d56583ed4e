import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import type { Cli } from "../engine/findCli";
import { UserError } from "../console";
import type { PulumiArguments } from "./arguments";
import { isDeployment } from "./arguments";
import type { Surroundings } from "./surroundings";

/** The stack of `npm run up`. */
export const defaultStack = "local";

interface Project {
  name: string;
  stackConfigDir?: string;
}

function readProject(surroundings: Surroundings): Project {
  return parse(readFileSync(join(surroundings.project, "Pulumi.yaml"), "utf8")) as Project;
}

/** `organization/emqx-aws/guide` and `guide` are the same stack of a file backend. */
export function shortName(stack: string): string {
  return stack.slice(stack.lastIndexOf("/") + 1);
}

export function stackFile(surroundings: Surroundings, stack: string): string {
  const { stackConfigDir = "." } = readProject(surroundings);
  return join(surroundings.project, stackConfigDir, `Pulumi.${shortName(stack)}.yaml`);
}

/** The stacks that have a file, whether deployed or not. */
export function stacksWithFiles(surroundings: Surroundings): string[] {
  const { stackConfigDir = "." } = readProject(surroundings);
  const folder = join(surroundings.project, stackConfigDir);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1])
    .filter((name): name is string => name !== undefined)
    .sort();
}

/** Stacks with a file or with state. */
export function knownStacks(surroundings: Surroundings): string[] {
  const folder = dirname(stateFile(surroundings, defaultStack));
  const withState = existsSync(folder) ? readdirSync(folder) : [];
  const names = withState.flatMap((file) => /^(.+)\.json$/.exec(file)?.[1] ?? []);
  return [...new Set([...stacksWithFiles(surroundings), ...names])].sort();
}

/** The state of a stack, as the file backend keeps it. */
export function stateFile(surroundings: Surroundings, stack: string): string {
  const { name } = readProject(surroundings);
  return join(surroundings.backend, ".pulumi", "stacks", name, `${shortName(stack)}.json`);
}

export function stackExists(surroundings: Surroundings, stack: string): boolean {
  return existsSync(stateFile(surroundings, stack));
}

export interface StackState {
  resources: { urn: string; type: string; id?: string }[];
  pendingOperations: { type: string; urn: string; resourceType: string }[];
  /** The stack's outputs; secrets as the state has them, encrypted. */
  outputs: Record<string, unknown>;
}

interface Checkpoint {
  checkpoint?: {
    latest?: {
      resources?: { urn: string; type: string; id?: string; outputs?: Record<string, unknown> }[] | null;
      pending_operations?: { type: string; resource: { urn: string; type: string } }[] | null;
    } | null;
  };
}

/** What the last command left behind; reads the file, so nothing is locked or started. */
export function readState(surroundings: Surroundings, stack: string): StackState {
  const file = stateFile(surroundings, stack);
  if (!existsSync(file)) return { resources: [], pendingOperations: [], outputs: {} };
  const latest = (JSON.parse(readFileSync(file, "utf8")) as Checkpoint).checkpoint?.latest;
  const resources = latest?.resources ?? [];
  return {
    resources: resources.map(({ urn, type, id }) => ({ urn, type, id })),
    outputs: resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs ?? {},
    pendingOperations: (latest?.pending_operations ?? []).map(({ type, resource }) => ({
      type,
      urn: resource.urn,
      resourceType: resource.type,
    })),
  };
}

/** The stack that `pulumi stack select` chose in these surroundings. */
export function selectedStack(surroundings: Surroundings): string | undefined {
  const { name } = readProject(surroundings);
  const hash = createHash("sha1").update(join(surroundings.project, "Pulumi.yaml")).digest("hex");
  try {
    const file = join(surroundings.home, "workspaces", `${name}-${hash}-workspace.json`);
    return (JSON.parse(readFileSync(file, "utf8")) as { stack?: string }).stack || undefined;
  } catch {
    return undefined;
  }
}

/** Which stack a command is about: the one it names, PULUMI_STACK, the selected one, or `local`. */
export function stackOf(
  surroundings: Surroundings,
  parsed: PulumiArguments,
  env: NodeJS.ProcessEnv,
): { stack: string; isImplied: boolean } {
  const [name, sub] = parsed.command;
  const argument =
    name === "stack" && ["select", "rm"].includes(sub ?? "") ? parsed.positional[0] : undefined;
  const explicit = parsed.stack ?? argument ?? env.PULUMI_STACK ?? selectedStack(surroundings);
  return { stack: explicit || defaultStack, isImplied: !explicit };
}

/** A stack file that was encrypted by its owner is used with the owner's passphrase or key. */
export function hasOwnEncryption(file: string): boolean {
  if (!existsSync(file)) return false;
  const content = (parse(readFileSync(file, "utf8")) ?? {}) as Record<string, unknown>;
  return content.encryptionsalt !== undefined || content.secretsprovider !== undefined;
}

function passphraseHint(file: string): string {
  return (
    `${file} has secrets of its own (encryptionsalt), under another passphrase than the simulated region's. ` +
    "Set PULUMI_CONFIG_PASSPHRASE to theirs."
  );
}

/**
 * Creates a stack that so far only has its file. The CLI writes the new stack's encryption salt beside its
 * Pulumi.yaml; the committed stack files must stay as they are, so it does this beside a copy.
 */
export async function initialiseStack(
  surroundings: Surroundings,
  cli: Cli,
  env: NodeJS.ProcessEnv,
  stack: string,
): Promise<void> {
  const own = hasOwnEncryption(stackFile(surroundings, stack));
  const cwd = own ? surroundings.project : join(surroundings.root, `init-${process.pid}`);
  try {
    if (!own) {
      mkdirSync(join(cwd, readProject(surroundings).stackConfigDir ?? "."), { recursive: true });
      copyFileSync(join(surroundings.project, "Pulumi.yaml"), join(cwd, "Pulumi.yaml"));
    }
    await promisify(execFile)(cli.command, ["stack", "init", "--no-select", "--non-interactive", stack], {
      cwd,
      env,
    });
  } catch (error) {
    if (stackExists(surroundings, stack)) return; // another command was faster
    const { stderr = "" } = error as { stderr?: string };
    const hint =
      own && stderr.includes("passphrase") ? `\n${passphraseHint(stackFile(surroundings, stack))}` : "";
    throw new UserError(`stack ${stack} cannot be initialised: ${stderr.trim() || String(error)}${hint}`);
  } finally {
    if (!own) rmSync(cwd, { recursive: true, force: true });
  }
}

/**
 * Every deployment writes the salt into the stack's file if it is not there, and re-formats the file on the way.
 * So the CLI gets a copy, unless the user wants it to write.
 */
export function configFileArguments(
  surroundings: Surroundings,
  parsed: PulumiArguments,
  stack: string,
): string[] {
  const file = stackFile(surroundings, stack);
  if (!isDeployment(parsed) || parsed.hasOwnConfig || !existsSync(file) || hasOwnEncryption(file)) return [];
  const copy = join(surroundings.stackFiles, `Pulumi.${shortName(stack)}.yaml`);
  mkdirSync(surroundings.stackFiles, { recursive: true });
  copyFileSync(file, copy);
  return ["--config-file", copy];
}

const saltLine = /^encryptionsalt:.*\n?/m;

/**
 * Takes the salt out of a stack's file again where the CLI has written it without need: it is in the state, and
 * only secrets in the file itself need it there.
 */
export function removeNeedlessSalt(surroundings: Surroundings, stack: string): void {
  const file = stackFile(surroundings, stack);
  if (!existsSync(file)) return;
  const text = readFileSync(file, "utf8");
  const salt = /^encryptionsalt:\s*(\S+)/m.exec(text)?.[1];
  if (salt === undefined || /^\s*(- )?secure:/m.test(text)) return;
  const state = stateFile(surroundings, stack);
  if (!existsSync(state) || !readFileSync(state, "utf8").includes(salt)) return;
  const rest = text.replace(saltLine, "");
  if (rest.trim() === "" || rest.trim() === "{}") rmSync(file);
  else writeFileSync(file, rest);
}
