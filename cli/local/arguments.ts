/** What the wrapper has to know about a `pulumi` command line; the CLI itself parses it for good. */
export interface PulumiArguments {
  /** The command's words, e.g. ["stack", "output"]; aliases resolved for those that matter here. */
  command: string[];
  /** What follows the command and is no flag, e.g. ["guide"] in `stack select guide`. */
  positional: string[];
  stack?: string;
  /** The folder the CLI is to run in, if not the repository. */
  cwd?: string;
  /** The user chose a stack file or sets configuration on the way. */
  hasOwnConfig: boolean;
  /** Asks for help only. */
  isHelp: boolean;
}

/** Flags of the commands below that take their value as the next word. */
const flagsWithValue = new Set([
  ..."-s --stack -C --cwd --color -c --config --config-file -m --message -t --target --exclude".split(" "),
  ..."--target-replace --replace -p --parallel --policy-pack --policy-pack-config --plan --save-plan".split(
    " ",
  ),
  ..."--import-file -f --file -o --out --import-pending-creates --event-log --exec-kind --exec-agent".split(
    " ",
  ),
  ..."-v --verbose --logtostderr-file --profiling --tracing --attach-debugger --secrets-provider".split(" "),
  ..."--copy-config-from --teams --parent --provider --properties --output --shell --page --page-size".split(
    " ",
  ),
]);

const aliases: Record<string, string> = {
  update: "up",
  u: "up",
  pre: "preview",
  dn: "destroy",
  down: "destroy",
  cfg: "config",
  conf: "config",
};

/** Commands whose second word is a command too. */
const groups = new Set(["stack", "config", "state", "plugin", "policy", "org", "package", "env"]);

export function parsePulumiArguments(args: readonly string[]): PulumiArguments {
  const words: string[] = [];
  let stack: string | undefined;
  let cwd: string | undefined;
  let hasOwnConfig = false;
  let isHelp = false;
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? "";
    if (argument === "--") {
      words.push(...args.slice(index + 1));
      break;
    }
    if (!argument.startsWith("-") || argument === "-") {
      words.push(argument);
      continue;
    }
    const [flag, inline] = splitFlag(argument);
    const value = inline ?? (flagsWithValue.has(flag) ? args[++index] : undefined);
    if (flag === "-s" || flag === "--stack") stack = value;
    if (flag === "-C" || flag === "--cwd") cwd = value;
    if (["-c", "--config", "--config-file"].includes(flag)) hasOwnConfig = true;
    if (flag === "-h" || flag === "--help") isHelp = true;
  }
  const first = words[0] === undefined ? [] : [aliases[words[0]] ?? words[0]];
  const isGroup = first[0] !== undefined && groups.has(first[0]) && words[1] !== undefined;
  const command = isGroup ? [...first, ...words.slice(1, 2)] : first;
  const help = isHelp || command[0] === "help" || command.length === 0;
  return { command, positional: words.slice(command.length), stack, cwd, hasOwnConfig, isHelp: help };
}

/** `--stack=x` and `-sx` carry their value with them. */
function splitFlag(argument: string): [string, string | undefined] {
  const equals = argument.indexOf("=");
  if (equals > 0) return [argument.slice(0, equals), argument.slice(equals + 1)];
  if (/^-[sCcmtpfo]./.test(argument)) return [argument.slice(0, 2), argument.slice(2)];
  return [argument, undefined];
}

/** Adds arguments of our own where the CLI still reads flags. */
export function withArguments(args: readonly string[], added: readonly string[]): string[] {
  const end = args.indexOf("--");
  return end < 0 ? [...args, ...added] : [...args.slice(0, end), ...added, ...args.slice(end)];
}

const deployments = new Set(["up", "preview", "refresh", "destroy", "import", "watch"]);

/** Commands that talk to the cloud. */
export function isDeployment({ command, isHelp }: PulumiArguments): boolean {
  return !isHelp && deployments.has(command[0] ?? "");
}

/** Commands that take the stack's lock for themselves. */
export function changesStack(parsed: PulumiArguments): boolean {
  return isDeployment(parsed) && parsed.command[0] !== "preview";
}

const withoutStack = new Set(
  "about login logout new org version whoami plugin policy package install schema gen-completion ai cancel".split(
    " ",
  ),
);

/** Commands for which a stack has to exist that so far only has its file. */
export function needsStack({ command, isHelp }: PulumiArguments): boolean {
  const [name, sub] = command;
  if (isHelp || name === undefined || withoutStack.has(name)) return false;
  return !(name === "stack" && ["init", "new", "ls", "list"].includes(sub ?? ""));
}
