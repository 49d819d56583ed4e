/** The shape of a command, and what commander makes of the list of them. */
import type { Argument } from "commander";
import { Command, InvalidArgumentError, Option } from "commander";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Session } from "./local/session";
import { defaultStack } from "./repository";

/** What a command found: facts for machines, and text for people, which is the facts where there is none. */
export interface Answer {
  facts?: unknown;
  text?: () => string;
  /** Where it goes instead of standard output. */
  file?: string;
  exitCode?: number;
}

/** `run` loads what it needs: one command does not wait for the modules of the others. */
export interface CommandShape {
  name: string;
  description: string;
  arguments?: Argument[];
  options?: Option[];
  /** Says that it has `--json`, and what that gives. */
  json?: string;
  /** Stands below the help. */
  more?: string;
  /** It takes what its Pulumi command takes, and hands it over as it is. */
  isPulumis?: true;
  commands?: CommandShape[];
  /** The exit code, or what was found. */
  run?(session: Session, options: never, ...words: never[]): Promise<Answer | number | void>;
}

interface OptionMore {
  parse?: (text: string, earlier: never) => unknown;
  preset?: unknown;
  required?: true;
}

export function option(
  flags: string,
  description = "",
  { parse, preset, required }: OptionMore = {},
): Option {
  const made = new Option(flags, description).default(preset).makeOptionMandatory(required ?? false);
  return parse ? made.argParser(parse as (text: string, earlier: unknown) => unknown) : made;
}

export const forMachines = "for machines";

export const onStack = option("-s, --stack <name>", "the stack", { preset: defaultStack });

/** Of two deployments of one name. */
export const real = option(
  "--real",
  "the stack of your own Pulumi backend, even if one of that name is simulated",
);

/** Every command, for a session; the exit code of a command becomes the process's. */
export function programOf(commands: readonly CommandShape[], session: Session): Command {
  const program = new Command(isOfNpm(session.env) ? "npm run" : "emqx-aws").enablePositionalOptions();
  program.description(
    "EMQX on AWS, deployed by the literal Pulumi CLI into a simulated region on this machine",
  );
  commands.forEach((shape) => program.addCommand(commandOf(shape, session)));
  return program;
}

/** `npm run up` and the like; `npx emqx-aws up` hands on what it is told. */
export function isOfNpm({ npm_lifecycle_event: event }: NodeJS.ProcessEnv): boolean {
  return event !== undefined && event !== "npx";
}

function commandOf(shape: CommandShape, session: Session): Command {
  const { name, description, run, json, more } = shape;
  const command = new Command(name).description(description);
  shape.arguments?.forEach((argument) => command.addArgument(argument));
  shape.options?.forEach((one) => command.addOption(one));
  if (json !== undefined) command.option("--json", json);
  if (more !== undefined) command.addHelpText("after", `\n${more}`);
  if (shape.isPulumis) {
    command.argument("[arguments...]").helpOption(false).allowUnknownOption().passThroughOptions();
  }
  shape.commands?.forEach((sub) => command.addCommand(commandOf(sub, session)));
  if (run === undefined) return command;
  return command.action(async (...given: unknown[]) => {
    const options = given.at(-2) as { json?: boolean };
    const answer = await run(session, options as never, ...(given.slice(0, -2) as never[]));
    process.exitCode = typeof answer === "number" ? answer : answer?.exitCode;
    if (typeof answer !== "object") return;
    const text = `${shown(answer, options.json === true)}\n`;
    if (answer.file === undefined) process.stdout.write(text);
    else {
      mkdirSync(dirname(resolve(answer.file)), { recursive: true });
      writeFileSync(answer.file, text);
      session.speaker.say(`Wrote ${answer.file}.`);
    }
  });
}

function shown({ facts, text }: Answer, json: boolean): string {
  return json || text === undefined ? JSON.stringify(facts, undefined, 2) : text().trimEnd();
}

export function aboveZero(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("a number above 0 is needed");
  return value;
}

export function nodeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("a node's number is 0, 1, 2, …");
  return Number(text);
}
