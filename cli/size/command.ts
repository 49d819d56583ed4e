import { InvalidArgumentError } from "commander";
import type { CommandShape } from "../command";
import { forMachines, option } from "../command";
import type { Asked } from "./run";

/** How many nodes of which type, and why. */
export const sizeCommand: CommandShape = {
  name: "size",
  description: "how many nodes of which instance type carry what you expect, with the arithmetic",
  options: [
    option("-c, --connections <number>", "clients connected at the same time", {
      parse: number,
      required: true,
    }),
    option("-r, --rate <number>", "messages a second that all clients together publish", {
      parse: number,
      required: true,
    }),
    option("--payload <bytes>", "of a message (default: 256)", { parse: number }),
    option("--qos <0|1|2>", "of the messages (default: 1)", { parse: number }),
    option("--keep-alive <seconds>", "the longest of any client (default: 300)", { parse: number }),
    option("--tls", "clients come by TLS, which ends at the load balancer", { preset: true }),
    option("--no-tls", "clients come without TLS"),
    option("--fan-out <number>", "how many clients get each message, on average (default: 1)", {
      parse: number,
    }),
    option("--retained <number>", "retained messages that are kept (default: 0)", { parse: number }),
    option("--users <number>", "users in EMQX's own database (default: 1)", { parse: number }),
    option("--instance-type <type>", "this type only (default: the cheapest of m7g, c7g and r7g that does)"),
    option("--nodes <number>", "this many nodes, an odd number (default: the fewest that do)", {
      parse: number,
    }),
    option("--region <name>", "whose prices to show (default: eu-west-1)"),
    option("--assume <name=value>", "another value of an assumption; can be repeated", { parse: assumption }),
  ],
  json: forMachines,
  run: async (_session, options: Asked) => (await import("./run")).runSize(options),
};

function number(text: string): number {
  const value = Number(text.replaceAll(",", "").replaceAll("_", ""));
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("a number is needed");
  return value;
}

function assumption(text: string, earlier: Record<string, number> = {}): Record<string, number> {
  const [name = "", value = ""] = text.split("=");
  if (name === "") throw new InvalidArgumentError("write name=value, like memoryPerConnectionKiB=60");
  return { ...earlier, [name]: number(value) };
}
