import type { Speaker } from "../console";
import { UserError } from "../console";
import { RegionClient } from "../../simulator/client";
import type { Cli } from "../engine/findCli";
import type { RunOptions } from "./literalCli";
import { runLiteralCli } from "./literalCli";
import { findOrphans } from "./orphans";
import type { RegionProcess } from "./regionProcess";
import { knownStacks, readState } from "./stacks";
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
  { surroundings, cli, env, speaker, region, capture }: RepairContext,
  stack: string,
  configFile: readonly string[],
): Promise<void> {
  const { pendingOperations } = readState(surroundings, stack);
  if (pendingOperations.length === 0) return;
  const states = knownStacks(surroundings).map((name) => readState(surroundings, name));
  const adopted = findOrphans(pendingOperations, await new RegionClient(region).resources(), states);
  const ids = new Map(adopted);
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
  const imports = adopted.flat().flatMap((entry) => ["--import-pending-creates", entry]);
  const flags = ["--yes", "--skip-preview", "--clear-pending-creates", ...imports, "--stack", stack];
  const { exitCode, stderr } = await runLiteralCli(cli, ["refresh", ...flags, ...configFile], {
    cwd: surroundings.project,
    env,
    capture,
  });
  if (exitCode !== 0) {
    throw new UserError(`the state of stack ${stack} could not be read again\n${stderr}`.trim(), exitCode);
  }
}
