import { Argument } from "commander";
import type { CommandShape } from "../command";
import { aboveZero, forMachines, nodeNumber, onStack, option } from "../command";
import { accountOptions } from "../smoke/account";
import { faultNames, faults } from "./faults";
import type { DrillCommandOptions, Fault } from "./run";

const list = faultNames.map((name) => `  ${name.padEnd(20)} ${faults[name].description}\n`);

/** Lets something go wrong in the simulated region, and tells what clients saw. */
export const drillCommand: CommandShape = {
  name: "drill",
  description: "let something go wrong under running clients, and tell what they saw",
  arguments: [new Argument("<fault>", "what goes wrong").choices([...faultNames, "repair"])],
  options: [
    onStack,
    option("-n, --node <number>", "the node it is done to (default: one that serves a publisher)", {
      parse: nodeNumber,
    }),
    option("--seconds <seconds>", "how long to watch (default: 12)", { parse: aboveZero }),
    option("--repair", "put it right afterwards, and say how long that took"),
    ...accountOptions,
  ],
  json: forMachines,
  more: `Faults:\n${list.join("")}  ${"repair".padEnd(20)} put right what earlier drills left behind`,
  run: async (session, options: DrillCommandOptions, fault: Fault) =>
    (await import("./run")).runDrill(session, options, fault),
};
