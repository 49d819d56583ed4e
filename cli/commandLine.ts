import { Command } from "commander";
import { addCertificateCommand } from "./certificate/command";
import { parsePulumiArguments } from "./local/arguments";
import { down, preview, refresh, up } from "./local/commands";
import { addDrillCommand } from "./drill/command";
import { addLoadCommand } from "./load/command";
import { addNodeCommand } from "./node/command";
import { consoleCommand, regionCommand } from "./local/regionCommand";
import type { Session } from "./local/session";
import { runPulumi } from "./local/session";
import { formatStatus, readStatus } from "./local/status";
import { refuseWords } from "./npmOptions";
import { addSmokeCommand } from "./smoke/command";

/** Every command, for a session; the exit code of a command becomes the process's. */
export function commandLine(session: Session): Command {
  const program = new Command("npm run");
  program
    .description("EMQX on AWS, deployed by the literal Pulumi CLI into a simulated region on this machine")
    .enablePositionalOptions();

  /** A command that takes whatever arguments its Pulumi command takes. */
  function pulumiCommand(name: string, description: string, run: Run): void {
    program
      .command(name)
      .argument("[arguments...]")
      .description(description)
      .helpOption(false)
      .allowUnknownOption()
      .passThroughOptions()
      .action(async (args: string[]) => {
        refuseStrayWords(session, name === "pulumi" ? args : [name, ...args]);
        process.exitCode = await run(session, args);
      });
  }

  pulumiCommand("up", "deploy stack local (another one: -- -s guide)", up);
  pulumiCommand("preview", "show what `up` would change", preview);
  pulumiCommand("refresh", "read the region's resources into the stack's state", refresh);
  pulumiCommand("down", "destroy the stack; with the last one the region ends too", down);
  pulumiCommand("pulumi", "any Pulumi command, in the same surroundings", pulumi);

  program
    .command("status")
    .description("the region and the stacks in it")
    .option("--json", "for machines")
    .action(async ({ json }: { json?: boolean }) => {
      const status = await readStatus(session.surroundings);
      process.stdout.write(`${json ? JSON.stringify(status, undefined, 2) : formatStatus(status)}\n`);
    });

  addSmokeCommand(program, session);
  addDrillCommand(program, session);
  addLoadCommand(program, session);
  addNodeCommand(program, session);
  addCertificateCommand(program, session);
  program.addCommand(consoleCommand(session));
  program.addCommand(regionCommand(session));
  return program;
}

const withoutWords = ["up", "preview", "refresh", "destroy"];

function refuseStrayWords({ env }: Session, args: readonly string[]): void {
  const { command, positional } = parsePulumiArguments(args);
  const [name = ""] = command;
  if (withoutWords.includes(name)) refuseWords(args[0] === "down" ? "down" : name, positional, env);
}

type Run = (session: Session, args: readonly string[]) => Promise<number>;

async function pulumi(session: Session, args: readonly string[]): Promise<number> {
  return (await runPulumi(session, args)).exitCode;
}
