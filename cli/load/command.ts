import type { CommandShape } from "../command";
import { aboveZero, forMachines, onStack, option } from "../command";
import { accountOptions } from "../smoke/account";
import type { LoadCommandOptions } from "./run";

/** Many clients at once, and what they cost. A benchmark, not a test. */
export const loadCommand: CommandShape = {
  name: "load",
  description: "hold many TLS clients through the load balancer; print throughput and memory",
  options: [
    onStack,
    option("-c, --clients <number>", "how many", { parse: aboveZero, preset: 2000 }),
    option("-r, --rate <number>", "messages a second in all, each way", { parse: aboveZero, preset: 5 }),
    option("--seconds <seconds>", "how long", { parse: aboveZero, preset: 60 }),
    ...accountOptions,
  ],
  json: forMachines,
  run: async (session, options: LoadCommandOptions) => (await import("./run")).runLoad(session, options),
};
