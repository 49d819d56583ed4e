import type { Speaker } from "../console";
import { UserError } from "../console";
import { RegionClient } from "@emqx-aws/simulator/client";
import type { Cli } from "../engine/findCli";
import type { RunOptions } from "./literalCli";
import { runLiteralCli } from "./literalCli";
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
 * region knows: what it made is deleted, so that it is made anew with what the engine knows of it, and everything else is read
 * again.
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
  const client = new RegionClient(region);
  const orphans = new Map(findOrphans(pendingOperations, await client.resources(), states, since));
  speaker.say(
    [
      `The last command on stack ${stack} was killed in the middle of:`,
      ...pendingOperations.map(({ type, urn, resourceType }) => {
        const created = orphans.get(urn);
        return `  ${type} ${readable(urn, resourceType)}${created ? ` (it was created, as ${created.id})` : ""}`;
      }),
      ...(orphans.size > 0 ? ["Deleting what was created; it is made anew where it is still wanted."] : []),
      "Reading the region's resources first, to see what became of it.",
    ].join("\n"),
  );
  for (const { type, region: place, id } of orphans.values())
    await client.delete({ type, region: place, id });
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
