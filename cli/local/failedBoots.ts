import { RegionClient } from "../../simulator/client";
import { runLiteralCli } from "./literalCli";
import type { RepairContext } from "./pendingOperations";
import { readState } from "./stacks";

/**
 * A boot that has ended without success does not go on by itself: an update that was stopped between an instance and
 * its volume leaves such a one. So its instance is marked, and the update that follows makes it anew instead of waiting.
 */
export async function replaceFailedBoots(
  { surroundings, cli, env, speaker, region }: RepairContext,
  stack: string,
): Promise<void> {
  if (surroundings.machines !== "running") return;
  const urns = new Map(readState(surroundings, stack).resources.map(({ id, urn }) => [id, urn]));
  for (const { instanceId, name, phase, problem } of await new RegionClient(region).machines()) {
    const urn = urns.get(instanceId);
    if (phase !== "failed" || urn === undefined) continue;
    const options = { cwd: surroundings.project, env, capture: "all" as const };
    const { exitCode, stderr } = await runLiteralCli(
      cli,
      ["state", "taint", urn, "--yes", "--stack", stack],
      options,
    );
    const outcome =
      exitCode === 0 ? "It is made anew." : `It cannot be marked to be made anew: ${stderr.trim()}`;
    speaker.say(
      `The last boot of ${name} (${instanceId}) has failed: ${problem ?? "see its console"}. ${outcome}`,
    );
  }
}
