import type { MachineStatus } from "@emqx-aws/simulator/dataplane";
import { RegionClient } from "@emqx-aws/simulator/client";
import { runLiteralCli } from "./literalCli";
import type { RepairContext } from "./pendingOperations";
import type { RegionProcess } from "./regionProcess";
import { readState } from "./stacks";
import type { Surroundings } from "./surroundings";

/** Machines of a stack whose boot has ended without success, with their instances' urns. */
async function failedBoots(
  surroundings: Surroundings,
  region: RegionProcess,
  stack: string,
): Promise<(MachineStatus & { urn: string })[]> {
  if (surroundings.machines !== "running") return [];
  const urns = new Map(readState(surroundings, stack).resources.map(({ id, urn }) => [id, urn]));
  const machines = await new RegionClient(region).machines();
  return machines.flatMap((machine) => {
    const urn = urns.get(machine.instanceId);
    return machine.phase === "failed" && urn !== undefined ? [{ ...machine, urn }] : [];
  });
}

function describe({ name, instanceId, problem }: MachineStatus): string {
  return `The last boot of ${name} (${instanceId}) has failed: ${problem ?? "its console says why"}.`;
}

/** What the region knows of the nodes that did not come up, for whoever waited for them. */
export async function explainFailedBoots(
  surroundings: Surroundings,
  region: RegionProcess,
  stack: string,
): Promise<string[]> {
  const failed = await failedBoots(surroundings, region, stack);
  return failed.map(
    (machine) => `${describe(machine)} Its console: npm run console -- ${machine.instanceId}`,
  );
}

/**
 * An update that was stopped between an instance and its volume leaves a boot that fails as often as it is tried again. So its
 * instance is marked, and the update that follows makes it anew instead of waiting.
 */
export async function replaceFailedBoots(
  { surroundings, cli, env, speaker, region }: RepairContext,
  stack: string,
): Promise<void> {
  for (const machine of await failedBoots(surroundings, region, stack)) {
    const { exitCode, stderr } = await runLiteralCli(
      cli,
      ["state", "taint", machine.urn, "--yes", "--stack", stack],
      { cwd: surroundings.project, env, capture: "all" },
    );
    const outcome = exitCode === 0 ? "It is made anew." : `It cannot be marked: ${stderr.trim()}`;
    speaker.say(`${describe(machine)} ${outcome}`);
  }
}
