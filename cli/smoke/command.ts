import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { Session } from "../local/session";
import { defaultStack } from "../local/stacks";
import { accountOf, addAccountOptions, type AccountOptions } from "./account";

interface Options extends AccountOptions {
  stack: string;
  real?: boolean;
  json?: boolean;
  keepAlive?: number;
  thorough?: boolean;
  minDays?: number;
}

/** `smoke`: is a deployment of any use to clients? */
export function addSmokeCommand(program: Command, session: Session): void {
  const command = program
    .command("smoke")
    .description(
      "connect, publish and subscribe as clients do; simulated or real; exit code 1 on any failure",
    )
    .option("-s, --stack <name>", "the stack", defaultStack)
    .option("--real", "the stack of your own Pulumi backend, even if one of that name is simulated")
    .option("--json", "for machines");
  addAccountOptions(command)
    .option("--keep-alive <seconds>", "the longest keep-alive of your clients (default: 300)", positive)
    .option("--min-days <days>", "how long the certificate must still be valid (default: 7)", positive)
    .option("--thorough", "wait out the load balancer's idle timeout, however long it is")
    .addHelpText(
      "after",
      "\nThe password of a real deployment is read with the aws CLI and your credentials, unless it is given.",
    )
    .action(async (options: Options) => {
      const { runSmoke } = await import("./run");
      process.exitCode = await runSmoke(session, options.stack, options.json ?? false, {
        real: options.real ?? false,
        ...accountOf(options),
        keepAliveSeconds: options.keepAlive,
        minimumDays: options.minDays,
        thorough: options.thorough ?? false,
      });
    });
}

export function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("a number above 0 is needed");
  return value;
}
