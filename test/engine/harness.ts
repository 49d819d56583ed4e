/**
 * The literal Pulumi CLI in surroundings of its own: a temporary folder with the project, a backend and a simulated
 * region. One `Engine` per test file; any number of stacks in it.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { cpSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { speaker } from "@emqx-aws/cli/console";
import { obtainCli } from "@emqx-aws/cli/engine/obtainCli";
import { requiredVersion } from "@emqx-aws/cli/engine/version";
import type { RunResult } from "@emqx-aws/cli/local/literalCli";
import { stopRegion } from "@emqx-aws/cli/local/regionProcess";
import type { Session } from "@emqx-aws/cli/local/session";
import { runPulumi } from "@emqx-aws/cli/local/session";
import type { Surroundings } from "@emqx-aws/cli/local/surroundings";
import { surroundingsOf } from "@emqx-aws/cli/local/surroundings";
import { repositoryRoot } from "@emqx-aws/cli/repository";
import type { EngineEvents } from "./events";
import { readEvents } from "./events";
import { withChanges } from "../settings";

/** Building the CLI takes minutes where it can neither be found nor downloaded. */
export const obtainTimeout = 20 * 60_000;
/** For tests that run the CLI a few times on two busy cores. */
export const engineTimeout = 300_000;

/** Say this in `beforeAll(…, obtainTimeout)`: later calls find the CLI at once. */
export async function prepareCli(): Promise<void> {
  await obtainCli(requiredVersion(), process.env, speaker());
}

export interface EngineOptions {
  /** A project folder to copy; by default this repository's own program, by links. */
  project?: string;
  /** Another region than the simulated one. */
  regionMain?: string;
  env?: NodeJS.ProcessEnv;
}

export interface Outcome extends RunResult, EngineEvents {}

export class Engine {
  readonly surroundings: Surroundings;
  readonly session: Session;
  /** What the command line itself said, line by line. */
  readonly said: string[] = [];

  constructor({ project, regionMain, env = {} }: EngineOptions = {}) {
    const folder = mkdtempSync(join(tmpdir(), "emqx-aws-engine-"));
    if (project === undefined) linkRepository(folder);
    else copyProject(project, folder);
    const surroundings = surroundingsOf(folder);
    this.surroundings = regionMain === undefined ? surroundings : { ...surroundings, regionMain };
    this.session = {
      surroundings: this.surroundings,
      // The event log's flag is one of the CLI's debugging aids.
      env: { ...process.env, PULUMI_DEBUG_COMMANDS: "true", ...env },
      speaker: { say: (message) => this.said.push(message), progress: () => {} },
    };
  }

  stack(name: string, config?: Record<string, unknown>): Stack {
    return new Stack(this, name, config);
  }

  /** Any Pulumi command; nothing is shown. */
  pulumi(...args: string[]): Promise<RunResult> {
    return runPulumi(this.session, args, { capture: "all" });
  }

  /** Stops the region and removes everything. */
  async end(): Promise<void> {
    await stopRegion(this.surroundings);
    rmSync(this.surroundings.project, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** An engine for all tests of a file; what they begin with is done once, before them. */
export function engineForAll(begin: (engine: Engine) => unknown = () => undefined): Engine {
  const engine = new Engine();
  beforeAll(async () => {
    await prepareCli();
    await begin(engine);
  }, obtainTimeout);
  afterAll(() => engine.end());
  return engine;
}

/** Links, so that modules resolve in the repository, and copies of what a test may change. */
function linkRepository(folder: string): void {
  for (const name of ["index.ts", "package.json", "tsconfig.json", "tsconfig.pulumi.json", "node_modules"]) {
    symlinkSync(join(repositoryRoot, name), join(folder, name));
  }
  cpSync(join(repositoryRoot, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
  cpSync(join(repositoryRoot, "stacks"), join(folder, "stacks"), { recursive: true });
}

function copyProject(project: string, folder: string): void {
  cpSync(project, folder, { recursive: true });
  symlinkSync(join(repositoryRoot, "node_modules"), join(folder, "node_modules"));
}

interface StackFile {
  config?: Record<string, unknown>;
}

/** One stack of an engine, with its own stack file. */
export class Stack {
  constructor(
    private readonly engine: Engine,
    readonly name: string,
    config?: Record<string, unknown>,
  ) {
    if (config !== undefined) this.setConfig(config);
  }

  get file(): string {
    return join(this.engine.surroundings.project, "stacks", `Pulumi.${this.name}.yaml`);
  }

  get config(): Record<string, unknown> {
    if (!existsSync(this.file)) return {};
    return (parse(readFileSync(this.file, "utf8")) as StackFile).config ?? {};
  }

  /** Replaces all settings. */
  setConfig(config: Record<string, unknown>): void {
    mkdirSync(join(this.file, ".."), { recursive: true });
    writeFileSync(this.file, stringify({ config }));
  }

  /** Changes some settings; undefined removes one. */
  configure(changes: Record<string, unknown>): void {
    this.setConfig(withChanges(this.config, changes));
  }

  /** `pulumi up`; throws when it fails, unless the failure is expected. */
  up(...args: string[]): Promise<Outcome> {
    return this.succeed(this.run("up", "--yes", "--skip-preview", ...args));
  }

  preview(...args: string[]): Promise<Outcome> {
    return this.succeed(this.run("preview", ...args));
  }

  refresh(...args: string[]): Promise<Outcome> {
    return this.succeed(this.run("refresh", "--yes", "--skip-preview", ...args));
  }

  destroy(...args: string[]): Promise<Outcome> {
    return this.succeed(this.run("destroy", "--yes", "--skip-preview", ...args));
  }

  /** `pulumi import <type> <name> <id>`. */
  import(type: string, name: string, id: string, ...args: string[]): Promise<Outcome> {
    return this.succeed(
      this.run("import", "--yes", "--skip-preview", "--protect=false", ...args, type, name, id),
    );
  }

  /** Any deployment, whatever its exit code. */
  async run(command: string, ...args: string[]): Promise<Outcome> {
    const events = join(this.engine.surroundings.project, `events-${++runs}.json`);
    const result = await this.engine.pulumi(command, "--stack", this.name, "--event-log", events, ...args);
    return { ...result, ...readEvents(events) };
  }

  async outputs(): Promise<Record<string, unknown>> {
    const args = ["stack", "output", "--json", "--show-secrets", "--stack", this.name];
    const { stdout } = await this.succeed(this.engine.pulumi(...args));
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  /** Every resource in the state. */
  async resources(): Promise<StateResource[]> {
    const { stdout } = await this.succeed(this.engine.pulumi("stack", "export", "--stack", this.name));
    return (JSON.parse(stdout) as { deployment: { resources?: StateResource[] } }).deployment.resources ?? [];
  }

  private async succeed<Result extends RunResult>(run: Promise<Result>): Promise<Result> {
    const result = await run;
    if (result.exitCode === 0) return result;
    throw new Error(`pulumi ended with exit code ${result.exitCode}:\n${result.stdout}\n${result.stderr}`);
  }
}

let runs = 0;

export interface StateResource {
  urn: string;
  type: string;
  id?: string;
  parent?: string;
  protect?: boolean;
  /** Only read: it belongs to somebody else. */
  external?: boolean;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}
