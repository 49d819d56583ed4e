import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Speaker } from "../console";
import { UserError } from "../console";
import { RegionClient } from "../../simulator/client";
import type { Cli } from "../engine/findCli";
import type { RunOptions } from "./literalCli";
import { runLiteralCli } from "./literalCli";
import type { ExportedDeployment } from "./adoption";
import { withCreated } from "./adoption";
import { findOrphans } from "./orphans";
import type { RegionProcess } from "./regionProcess";
import { readState, stacksWithState } from "./stacks";
import type { Surroundings } from "./surroundings";

export interface RepairContext {
  surroundings: Surroundings;
  cli: Cli;
  env: NodeJS.ProcessEnv;
  speaker: Speaker;
  region: RegionProcess;
  capture?: RunOptions["capture"];
}

/** `urn:pulumi:local::emqx-aws::…$aws:ec2/vpc:Vpc::emqx-vpc` -> `aws:ec2/vpc:Vpc emqx-vpc`. */
function readable(urn: string, type: string): string {
  return `${type} ${urn.slice(urn.lastIndexOf("::") + 2)}`;
}

/**
 * A CLI that was killed leaves operations in the state of which it does not know whether they happened. The
 * region knows: what it made is adopted, what it did not make is forgotten, everything else is read again.
 */
export async function repairPendingOperations(
  context: RepairContext,
  stack: string,
  /** When the command began that was killed, if that is known. */
  since?: Date,
): Promise<void> {
  const { surroundings, cli, env, speaker, region, capture } = context;
  const { pendingOperations } = readState(surroundings, stack);
  if (pendingOperations.length === 0) return;
  const states = stacksWithState(surroundings).map((name) => readState(surroundings, name));
  const inRegion = await new RegionClient(region).resources();
  const ids = new Map(findOrphans(pendingOperations, inRegion, states, since));
  speaker.say(
    [
      `The last command on stack ${stack} was killed in the middle of:`,
      ...pendingOperations.map(({ type, urn, resourceType }) => {
        const id = ids.get(urn);
        return `  ${type} ${readable(urn, resourceType)}${id === undefined ? "" : ` (it was created, as ${id})`}`;
      }),
      "Reading the region's resources first, to see what became of it.",
    ].join("\n"),
  );
  if (ids.size > 0) await adopt(context, stack, ids);
  const flags = ["--yes", "--skip-preview", "--clear-pending-creates", "--stack", stack];
  const { exitCode, stderr } = await runLiteralCli(cli, ["refresh", ...flags], {
    cwd: surroundings.project,
    env,
    capture,
  });
  if (exitCode !== 0) {
    throw new UserError(`the state of stack ${stack} could not be read again\n${stderr}`.trim(), exitCode);
  }
}

interface Exported {
  deployment: ExportedDeployment;
}

/**
 * Puts what was created into the state. `pulumi refresh --import-pending-creates` would be made for this, but only
 * marks the operation; so the resource, which the operation describes completely but for its id, is added as the
 * CLI would have done, and the refresh after this reads its outputs.
 */
async function adopt(
  { surroundings, cli, env }: RepairContext,
  stack: string,
  ids: ReadonlyMap<string, string>,
): Promise<void> {
  const run = async (...args: string[]) => {
    const options = { cwd: surroundings.project, env, capture: "all" as const };
    const { exitCode, stdout, stderr } = await runLiteralCli(cli, [...args, "--stack", stack], options);
    if (exitCode !== 0) throw new UserError(`pulumi ${args.join(" ")} failed:\n${stderr}`, exitCode);
    return stdout;
  };
  const exported = JSON.parse(await run("stack", "export")) as Exported;
  const file = join(surroundings.root, `adopt-${process.pid}.json`);
  try {
    const repaired = { ...exported, deployment: withCreated(exported.deployment, ids) };
    writeFileSync(file, JSON.stringify(repaired), { mode: 0o600 });
    await run("stack", "import", "--file", file);
  } finally {
    rmSync(file, { force: true });
  }
}
