/** `npm run up --verbose`: what the machines say while they boot, beside the engine's own display. */
import { RegionClient } from "@emqx-aws/simulator/client";
import type { Speaker } from "../console";
import { regionStatus } from "./regionProcess";
import type { Surroundings } from "./surroundings";

const pollMs = 300;

/** Whether `--verbose` was given, which npm keeps as its own log level, and the words without it; Pulumi's has a number behind it. */
export function takeVerbose(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): { isVerbose: boolean; args: string[] } {
  const at = args.findIndex((word, index) => word === "--verbose" && !/^\d+$/.test(args[index + 1] ?? ""));
  return {
    isVerbose: at >= 0 || env["npm_config_loglevel"] === "verbose",
    args: args.filter((_, index) => index !== at),
  };
}

/** Says every line of the consoles of machines that are seen booting; resolves when it has been told to stop. */
export async function followBoots(
  surroundings: Surroundings,
  speaker: Speaker,
  signal: AbortSignal,
): Promise<void> {
  const said = new Map<string, number>();
  for (let isLast = false; !isLast;) {
    isLast = signal.aborted;
    const status = await regionStatus(surroundings);
    if (status.kind === "running") {
      await sayNew(new RegionClient(status.region), speaker, said).catch(() => undefined);
    }
    if (!isLast) await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function sayNew(client: RegionClient, speaker: Speaker, said: Map<string, number>): Promise<void> {
  for (const { instanceId, name, phase } of await client.machines()) {
    if (phase !== "booting" && !said.has(instanceId)) continue;
    const lines = (await client.console(instanceId)).trimEnd().split("\n");
    // Without the time, which is in the console's log.
    lines
      .slice(said.get(instanceId) ?? 0)
      .forEach((line) => speaker.say(`${name}: ${line.replace(/^\S+Z /, "")}`));
    said.set(instanceId, lines.length);
  }
}
