import type { Command } from "commander";
import { Argument, InvalidArgumentError } from "commander";
import type { Session } from "../local/session";
import { defaultStack } from "../local/stacks";
import { accountOf, addAccountOptions, type AccountOptions } from "../smoke/account";
import { positive } from "../smoke/command";
import type { FaultName } from "./faults";
import { faultNames, faults } from "./faults";

interface Options extends AccountOptions {
  stack: string;
  node?: number;
  seconds?: number;
  repair?: boolean;
  json?: boolean;
}

/** `drill`: lets something go wrong in the simulated region, and tells what clients saw. */
export function addDrillCommand(program: Command, session: Session): void {
  const list = faultNames.map((name) => `  ${name.padEnd(20)} ${faults[name].description}`).join("\n");
  const command = program
    .command("drill")
    .description("let something go wrong under running clients, and tell what they saw")
    .addArgument(new Argument("<fault>", "what goes wrong").choices([...faultNames, "repair"]))
    .option("-s, --stack <name>", "the stack", defaultStack)
    .option(
      "-n, --node <number>",
      "the node it is done to (default: one that serves a publisher)",
      nodeNumber,
    )
    .option("--seconds <seconds>", "how long to watch (default: 12)", positive)
    .option("--repair", "put it right afterwards, and say how long that took")
    .option("--json", "for machines");
  addAccountOptions(command)
    .addHelpText(
      "after",
      `\nFaults:\n${list}\n  ${"repair".padEnd(20)} put right what earlier drills left behind`,
    )
    .action(async (fault: FaultName | "repair", options: Options) => {
      const { repairAll, runDrill } = await import("./run");
      process.exitCode =
        fault === "repair"
          ? await repairAll(session, options.stack, accountOf(options))
          : await runDrill(session, fault, { ...options, account: accountOf(options) });
    });
}

function nodeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("a node's number is 0, 1, 2, …");
  return Number(text);
}
