import { Command } from "commander";

/**
 * What has to be known of a `pulumi` command line before the CLI reads it: which stack and which folder need what the
 * surroundings bring along, and whether the command deploys. The CLI gets stack and folder by its environment, and the
 * other words as they are.
 */
export interface PulumiArguments {
  /** The command's words, e.g. ["stack", "select", "guide"]; aliases resolved for those that matter here. */
  command: string[];
  stack?: string;
  /** The folder the CLI is to run in, if not the repository. */
  cwd?: string;
  /** The user chose a stack file or sets configuration on the way. */
  hasOwnConfig: boolean;
  /** What the CLI is to read. */
  rest: string[];
}

const aliases: Record<string, string> = {
  update: "up",
  u: "up",
  pre: "preview",
  dn: "destroy",
  down: "destroy",
  cfg: "config",
  conf: "config",
};

const deployments = ["up", "preview", "refresh", "destroy", "import", "watch"];
/** Those of which something is known here. */
const commands = [
  ...deployments,
  ...Object.keys(aliases),
  "stack",
  "config",
  "state",
  "logs",
  "cancel",
  "new",
];

export function parsePulumiArguments(args: readonly string[]): PulumiArguments {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const flags = args.slice(0, end);
  const own = new Command().option("-s, --stack <name>").option("-C, --cwd <folder>").helpOption(false);
  const { operands, unknown } = own.parseOptions(flags);
  // With a flag before the command, everything is behind it, its value too: `--color never preview`.
  const behind = unknown.filter((word) => !word.startsWith("-"));
  const at = behind.findIndex((word) => commands.includes(word));
  const [first = "", ...more] = operands.length > 0 ? operands : behind.slice(Math.max(at, 0));
  const isHelp = first === "help" || flags.some((flag) => ["-h", "--help"].includes(flag));
  return {
    command: first === "" || isHelp ? [] : [aliases[first] ?? first, ...more],
    ...own.opts<{ stack?: string; cwd?: string }>(),
    hasOwnConfig: flags.some((flag) => /^(-c|--config(-file|-path)?(=|$))/.test(flag)),
    rest: [...operands, ...unknown, ...args.slice(end)],
  };
}

/** Commands that talk to the cloud. */
export function isDeployment({ command: [name = ""] }: PulumiArguments): boolean {
  return deployments.includes(name);
}

/** Commands that take the stack's lock for themselves. */
export function changesStack(parsed: PulumiArguments): boolean {
  return isDeployment(parsed) && parsed.command[0] !== "preview";
}

/** Commands for which a stack has to exist that so far only has its file. */
export function needsStack(parsed: PulumiArguments): boolean {
  const [name = "", sub = ""] = parsed.command;
  if (name === "stack") return !["init", "new", "ls", "list"].includes(sub);
  return isDeployment(parsed) || ["config", "state", "logs"].includes(name);
}
