import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { Asked } from "./run";

interface Options extends Omit<Asked, "payloadBytes"> {
  payload?: number;
  json?: boolean;
}

/** `size`: how many nodes of which type, and why. */
export function addSizeCommand(program: Command): void {
  program
    .command("size")
    .description("how many nodes of which instance type carry what you expect, with the arithmetic")
    .requiredOption("-c, --connections <number>", "clients connected at the same time", number)
    .requiredOption("-r, --rate <number>", "messages a second that all clients together publish", number)
    .option("--payload <bytes>", "of a message (default: 256)", number)
    .option("--qos <0|1|2>", "of the messages (default: 1)", number)
    .option("--keep-alive <seconds>", "the longest of any client (default: 300)", number)
    .option("--tls", "clients come by TLS, which ends at the load balancer", true)
    .option("--no-tls", "clients come without TLS")
    .option("--fan-out <number>", "how many clients get each message, on average (default: 1)", number)
    .option("--retained <number>", "retained messages that are kept (default: 0)", number)
    .option("--users <number>", "users in EMQX's own database (default: 1)", number)
    .option("--instance-type <type>", "this type only (default: the cheapest of m7g, c7g and r7g that does)")
    .option("--nodes <number>", "this many nodes, an odd number (default: the fewest that do)", number)
    .option("--region <name>", "whose prices to show (default: eu-west-1)")
    .option("--assume <name=value>", "another value of an assumption; can be repeated", assumption)
    .option("--json", "for machines")
    .action(async (options: Options) => {
      const { runSize } = await import("./run");
      const { payload, json, ...rest } = options;
      process.stdout.write(`${runSize({ ...rest, payloadBytes: payload }, json ?? false)}\n`);
    });
}

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
