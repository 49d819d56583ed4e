/** Programs that need root or a machine's own users: owners of files, kernel settings, and the wait. */
import { existsSync, lstatSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fail, readOptions, type StandIn, valueOf } from "../standIn";
import type { System } from "../system";

const sleep: StandIn = async ({ args, limit, gone }, { clock, disks }) => {
  const seconds = args.map((arg) => /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(arg));
  if (args.length === 0 || seconds.includes(null)) {
    return fail(
      args.length === 0 ? "sleep: missing operand" : `sleep: invalid time interval '${args.join(" ")}'`,
    );
  }
  const unit: Record<string, number> = { "": 1, s: 1, m: 60, h: 3600, d: 86400 };
  const total = seconds.reduce((sum, match) => sum + Number(match![1]) * unit[match![2]!]!, 0);
  await clock.sleep(Math.min(total, limit ?? Infinity), gone);
  // What was attached meanwhile shows.
  disks.refresh();
  return limit !== undefined && total >= limit ? { code: 124 } : {};
};

/** `user:group`, or what is wrong with it. */
function ownerProblem(owner: string, { root }: System): string | undefined {
  const [user = "", group] = owner.split(":");
  return root.hasUser(user) && (group === undefined || root.hasGroup(group))
    ? undefined
    : root.hasUser(user)
      ? `invalid group: '${owner}'`
      : `invalid user: '${owner}'`;
}

const chown: StandIn = ({ args, cwd }, system) => {
  const options = readOptions(args, ["-h", "-R"], []);
  if (typeof options === "string" || options.rest.length < 2) {
    return fail(`chown: ${typeof options === "string" ? options : "missing operand"}`);
  }
  const [owner, ...files] = options.rest as [string, ...string[]];
  const problem = ownerProblem(owner, system);
  if (problem !== undefined) {
    return fail(`chown: ${problem}`);
  }
  for (const given of files) {
    const file = resolve(cwd, given);
    if (lstatSync(file, { throwIfNoEntry: false }) === undefined) {
      return fail(`chown: cannot access '${given}': No such file or directory`);
    }
    for (const each of options.flags.has("-R") ? below(file) : [file]) {
      system.root.owners.set(each, owner);
    }
  }
  return {};
};

/** A file, and all that is below it. */
function below(path: string): string[] {
  const within = existsSync(path) ? readdirSync(join(path, "."), { recursive: true, encoding: "utf8" }) : [];
  return [path, ...within.map((name) => join(path, name))];
}

/** find(1) by owner: FOLDER ( ! -user U -o ! -group G ) -exec chown -h U:G {} + */
const find: StandIn = async (call, system) => {
  const { args, cwd } = call;
  const folder = resolve(cwd, args[0] ?? ".");
  const value = (name: string) => args[args.indexOf(name) + 1];
  const shape = args
    .slice(1)
    .join(" ")
    .replace(/-(user|group) \S+/g, "-$1");
  const exec = args.indexOf("-exec");
  const command = args.slice(exec + 1, args.indexOf("{}"));
  if (!shape.startsWith("( ! -user -o ! -group ) -exec chown ") || args.at(-1) !== "+") {
    return fail(
      `find: in the simulated region by owner only as ( ! -user U -o ! -group G ) -exec chown …: ${args.join(" ")}`,
    );
  }
  const [user, group] = [value("-user")!, value("-group")!];
  if (!system.root.hasUser(user)) return fail(`find: '${user}' is not the name of a known user`);
  if (!system.root.hasGroup(group)) return fail(`find: '${group}' is not the name of an existing group`);
  if (!existsSync(folder)) return fail(`find: '${folder}': No such file or directory`);
  const found = below(folder).filter((path) => system.root.owners.of(path) !== `${user}:${group}`);
  return found.length === 0 ? {} : chown({ ...call, args: [...command.slice(1), ...found] }, system);
};

/** stat(1) of one's own users: -c with %U, %G, %a, %s, %n. */
const stat: StandIn = ({ args, cwd }, { root }) => {
  const options = readOptions(args, [], ["-c", "--format"]);
  if (typeof options === "string" || options.rest.length === 0) {
    return fail(`stat: ${typeof options === "string" ? options : "missing operand"}`);
  }
  const format = valueOf(options, "-c") ?? valueOf(options, "--format") ?? "%n";
  const lines: string[] = [];
  for (const file of options.rest) {
    const found = lstatSync(resolve(cwd, file), { throwIfNoEntry: false });
    if (found === undefined) {
      return fail(`stat: cannot statx '${file}': No such file or directory`);
    }
    const [user, group] = root.owners.of(resolve(cwd, file)).split(":") as [string, string];
    const values: Record<string, string> = {
      U: user,
      G: group,
      a: (found.mode & 0o7777).toString(8),
      s: String(found.size),
      n: file,
    };
    lines.push(format.replace(/%(.)/g, (whole, letter: string) => values[letter] ?? whole));
  }
  return { out: lines.map((line) => `${line}\n`).join("") };
};

/** sync(1) of files: what is written here survives a machine's power cut anyway. */
const sync: StandIn = ({ args, cwd }) => {
  const missing = args.find((file) => !existsSync(resolve(cwd, file)));
  return missing === undefined ? {} : fail(`sync: error opening '${missing}': No such file or directory`);
};

const sysctl: StandIn = ({ args }) => {
  const options = readOptions(args, ["-q", "-e"], ["-p"]);
  const file = typeof options === "string" ? undefined : options.values.get("-p")?.at(-1);
  return file === undefined
    ? fail("sysctl: usage")
    : existsSync(file)
      ? {}
      : fail(`sysctl: cannot open "${file}": No such file or directory`, 255);
};

const systemdTmpfiles: StandIn = ({ args }) =>
  args[0] === "--create" && args.length === 2
    ? existsSync(args[1]!)
      ? {}
      : fail(`Failed to open '${args[1]}': No such file or directory`)
    : fail("You need to specify at least one of --clean, --create or --remove.");

export const filePrograms: Record<string, StandIn> = {
  sleep,
  chown,
  find,
  stat,
  sync,
  sysctl,
  "systemd-tmpfiles": systemdTmpfiles,
};
