import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { readFileSync } from "node:fs";
import type { Session } from "../local/session";
import { defaultStack } from "../local/stacks";

interface Options {
  stack: string;
  real?: boolean;
  json?: boolean;
  username?: string;
  password?: string;
  passwordFile?: string;
  keepAlive?: number;
  thorough?: boolean;
  minDays?: number;
}

/** `smoke`: is a deployment of any use to clients? */
export function addSmokeCommand(program: Command, session: Session): void {
  program
    .command("smoke")
    .description(
      "connect, publish and subscribe as clients do; simulated or real; exit code 1 on any failure",
    )
    .option("-s, --stack <name>", "the stack", defaultStack)
    .option("--real", "the stack of your own Pulumi backend, even if one of that name is simulated")
    .option("--json", "for machines")
    .option("--username <name>", "an account of your own authentication, instead of the built-in user")
    .option(
      "--password <text>",
      "the MQTT password, instead of reading it from SSM (others may see it in `ps`)",
    )
    .option("--password-file <file>", "a file with the MQTT password; - is stdin")
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
        username: options.username,
        password: passwordOf(options),
        keepAliveSeconds: options.keepAlive,
        minimumDays: options.minDays,
        thorough: options.thorough ?? false,
      });
    });
}

function passwordOf({ password, passwordFile }: Options): string | undefined {
  if (passwordFile === undefined) return password;
  return readFileSync(passwordFile === "-" ? 0 : passwordFile, "utf8").replace(/\r?\n$/, "");
}

export function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("a number above 0 is needed");
  return value;
}
