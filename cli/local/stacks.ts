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
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import type { Cli } from "../engine/findCli";
import { UserError } from "../console";
import type { PulumiArguments } from "./arguments";
import { isDeployment } from "./arguments";
import { readParsed } from "../files";
import { defaultStack } from "../repository";
import { signatureKey } from "../review/preview/engine";
import type { Surroundings } from "./surroundings";

interface Project {
  name: string;
  stackConfigDir?: string;
}

function readProject(surroundings: Surroundings): Project {
  const file = join(surroundings.project, "Pulumi.yaml");
  const isProject = (value: unknown): value is Project => typeof (value as Project | null)?.name === "string";
  return readParsed(file, parse, isProject, "It must be a Pulumi project, with a name.");
}

/** `organization/emqx-aws/guide` and `guide` are the same stack of a file backend. */
export function shortName(stack: string): string {
  return stack.slice(stack.lastIndexOf("/") + 1);
}

/** The project in a stack's name, or the one of these surroundings. */
export function projectOf(surroundings: Surroundings, stack: string): string {
  return stack.split("/").at(-2) ?? readProject(surroundings).name;
}

export function stackFile(surroundings: Surroundings, stack: string): string {
  const { stackConfigDir = "." } = readProject(surroundings);
  return join(surroundings.project, stackConfigDir, `Pulumi.${shortName(stack)}.yaml`);
}

/** The stacks that have a file, whether deployed or not. */
function stacksWithFiles(surroundings: Surroundings): string[] {
  const { stackConfigDir = "." } = readProject(surroundings);
  const folder = join(surroundings.project, stackConfigDir);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1])
    .filter((name): name is string => name !== undefined)
    .sort();
}

/** Stacks of this project with a file or with state. */
export function knownStacks(surroundings: Surroundings): string[] {
  const { name } = readProject(surroundings);
  const own = stacksWithState(surroundings).filter((stack) => projectOf(surroundings, stack) === name);
  return [...new Set([...stacksWithFiles(surroundings), ...own])].sort();
}

/** Stacks with state, whatever their project: one of another project is called `project/stack`. */
export function stacksWithState(surroundings: Surroundings): string[] {
  const { name } = readProject(surroundings);
  const folder = join(surroundings.backend, ".pulumi", "stacks");
  if (!existsSync(folder)) return [];
  const projects = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return projects.flatMap(({ name: project }) =>
    readdirSync(join(folder, project)).flatMap((file) => {
      const stack = /^(.+)\.json$/.exec(file)?.[1];
      return stack === undefined ? [] : [project === name ? stack : `${project}/${stack}`];
    }),
  );
}

/** Stacks that have more than their own entry in the state, whatever their project. */
export function deployedStacks(surroundings: Surroundings): string[] {
  return stacksWithState(surroundings).filter((stack) => readState(surroundings, stack).resources.length > 0);
}

/**
 * The deployed stack that is meant: by its name in this project, as `project/stack`, or by its last part alone where no
 * other one has it; and where nothing is deployed as `local`, the only one there is.
 */
export function deployedStack(surroundings: Surroundings, given: string): string | undefined {
  const name = given.replace(/^organization\//, "").replace(`${readProject(surroundings).name}/`, "");
  const deployed = deployedStacks(surroundings);
  if (deployed.includes(name)) return name;
  const alike = deployed.filter((stack) => shortName(stack) === name);
  const candidates = alike.length > 0 || name !== defaultStack ? alike : deployed;
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** A stack of the project in these surroundings, by the name that it has in others. */
export function nameIn(others: Surroundings, surroundings: Surroundings, stack: string): string {
  const project = projectOf(surroundings, stack);
  return project === readProject(others).name ? shortName(stack) : `${project}/${shortName(stack)}`;
}

/** Notes where a project is, so that a message about its stacks can say how to reach them. */
export function noteProject(surroundings: Surroundings): void {
  const folder = join(surroundings.root, "projects");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, readProject(surroundings).name), surroundings.project);
}

/** A stack as arguments of the literal CLI here: one of another project is reached in its folder. Unknown: undefined. */
export function stackArguments(surroundings: Surroundings, stack: string): string[] | undefined {
  const short = shortName(stack);
  if (short === stack) return ["--stack", stack];
  const note = join(surroundings.root, "projects", projectOf(surroundings, stack));
  return existsSync(note) ? ["--cwd", readFileSync(note, "utf8"), "--stack", short] : undefined;
}

/** A stack as arguments of `npm run down --`. */
export function argumentsFor(surroundings: Surroundings, stack: string): string {
  const short = shortName(stack);
  const option = short === defaultStack && short === stack ? "" : `-s ${short}`;
  if (short === stack) return option;
  const folder = stackArguments(surroundings, stack)?.[1];
  return `-C ${folder === undefined ? "<its folder>" : relative(surroundings.project, folder)} ${option}`;
}

/** The state of a stack, as the file backend keeps it. */
export function stateFile(surroundings: Surroundings, stack: string): string {
  const project = projectOf(surroundings, stack);
  return join(surroundings.backend, ".pulumi", "stacks", project, `${shortName(stack)}.json`);
}

export function stackExists(surroundings: Surroundings, stack: string): boolean {
  return existsSync(stateFile(surroundings, stack));
}

export interface StateResource {
  urn: string;
  type: string;
  id?: string;
  outputs?: Record<string, unknown>;
}

/** What a command that was killed had begun. */
export interface PendingOperation {
  type: string;
  urn: string;
  resourceType: string;
  inputs: Record<string, unknown>;
}

export interface StackState {
  resources: StateResource[];
  pendingOperations: PendingOperation[];
  /** The stack's outputs, and its one deployment's; secrets as `[secret]`. */
  outputs: Record<string, unknown>;
}

interface Checkpoint {
  checkpoint: {
    latest?: {
      resources?: StateResource[] | null;
      pending_operations?:
        { type: string; resource: StateResource & { inputs?: Record<string, unknown> } }[] | null;
    } | null;
  };
}

function isCheckpoint(value: unknown): value is Checkpoint {
  return typeof (value as Checkpoint | null)?.checkpoint === "object";
}

/** What the last command left behind; reads the file, so nothing is locked or started. */
export function readState(surroundings: Surroundings, stack: string): StackState {
  const file = stateFile(surroundings, stack);
  if (!existsSync(file)) return { resources: [], pendingOperations: [], outputs: {} };
  const { latest } = readParsed(file, JSON.parse, isCheckpoint, remedyFor(surroundings, file)).checkpoint;
  const resources = latest?.resources ?? [];
  return {
    resources,
    outputs: outputsIn(resources),
    pendingOperations: (latest?.pending_operations ?? []).map(({ type, resource }) => ({
      type,
      urn: resource.urn,
      resourceType: resource.type,
      inputs: resource.inputs ?? {},
    })),
  };
}

/** A stack's outputs, secrets as the CLI shows them, and those of its deployment, where it has one, that its program does not export. */
function outputsIn(resources: readonly StateResource[]): Record<string, unknown> {
  const deployments = resources.filter(({ type }) => type === "emqx-aws:index:EmqxDeployment");
  const { dnsName, ...deployment } = (deployments.length === 1 && deployments[0]?.outputs) || {};
  const stack = resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs;
  const all = { ...(dnsName !== undefined && { loadBalancerDnsName: dnsName }), ...deployment, ...stack };
  const isSecret = (value: unknown) => typeof value === "object" && value !== null && signatureKey in value;
  return Object.fromEntries(
    Object.entries(all).map(([name, value]) => [name, isSecret(value) ? "[secret]" : value]),
  );
}

/** The file backend keeps the state before the last change beside it. */
function remedyFor({ root }: Surroundings, file: string): string {
  const anew = `To begin anew, with nothing deployed: npm run region -- stop; rm -r ${root}`;
  return existsSync(`${file}.bak`)
    ? `The state before the last change is beside it: cp ${file}.bak ${file}, then npm run refresh. ${anew}`
    : anew;
}

/** The stack that `pulumi stack select` chose in these surroundings. */
function selectedStack(surroundings: Surroundings): string | undefined {
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
  const [name, sub = "", word] = parsed.command;
  const argument = name === "stack" && ["select", "rm"].includes(sub) ? word : undefined;
  const explicit = parsed.stack ?? argument ?? env.PULUMI_STACK ?? selectedStack(surroundings);
  return { stack: explicit || defaultStack, isImplied: !explicit };
}

/** A stack file that was encrypted by its owner is used with the owner's passphrase or key. */
export function hasOwnEncryption(file: string): boolean {
  if (!existsSync(file)) return false;
  const isSettings = (value: unknown): value is Record<string, unknown> | null =>
    value === null || (typeof value === "object" && !Array.isArray(value));
  const content = readParsed(file, parse, isSettings, "It must be a Pulumi stack file: config: …") ?? {};
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
export function copiedStackFile(
  surroundings: Surroundings,
  parsed: PulumiArguments,
  stack: string,
): string | undefined {
  const file = stackFile(surroundings, stack);
  if (!isDeployment(parsed) || parsed.hasOwnConfig || !existsSync(file) || hasOwnEncryption(file)) {
    return undefined;
  }
  const copy = join(surroundings.stackFiles, `Pulumi.${shortName(stack)}.yaml`);
  mkdirSync(surroundings.stackFiles, { recursive: true });
  copyFileSync(file, copy);
  return copy;
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
