import type { CommandShape } from "../command";
import { forMachines } from "../command";
import { refuseWords } from "../npmOptions";
import { parsePulumiArguments } from "./arguments";
import type { Session } from "./session";

type Run = (session: Session, args: readonly string[]) => Promise<number>;

/** A command that takes whatever arguments its Pulumi command takes. */
function pulumiCommand(name: string, description: string, load: () => Promise<Run>): CommandShape {
  return {
    name,
    description,
    isPulumis: true,
    async run(session, _options, args: string[]) {
      refuseStrayWords(session, name === "pulumi" ? args : [name, ...args]);
      const run = await load();
      return run(session, args);
    },
  };
}

function refuseStrayWords({ env }: Session, args: readonly string[]): void {
  const [name = "", ...words] = parsePulumiArguments(args).command;
  if (["up", "preview", "refresh", "destroy"].includes(name)) {
    refuseWords(args[0] === "down" ? "down" : name, words, env);
  }
}

const commands = () => import("./commands");

export const pulumiCommands = [
  pulumiCommand("up", "deploy stack local (another one: -- -s guide)", async () => (await commands()).up),
  pulumiCommand("preview", "show what `up` would change", async () => (await commands()).preview),
  pulumiCommand(
    "refresh",
    "read the region's resources into the stack's state",
    async () => (await commands()).refresh,
  ),
  pulumiCommand(
    "down",
    "destroy the stack; with the last one the region ends too",
    async () => (await commands()).down,
  ),
  pulumiCommand("pulumi", "any Pulumi command, in the same surroundings", async () => {
    const { runPulumi } = await import("./session");
    return async (session, args) => (await runPulumi(session, args)).exitCode;
  }),
];

export const statusCommand: CommandShape = {
  name: "status",
  description: "the region and the stacks in it",
  json: forMachines,
  async run({ surroundings }) {
    const { formatStatus, readStatus } = await import("./status");
    const status = await readStatus(surroundings);
    return { facts: status, text: () => formatStatus(status) };
  },
};
