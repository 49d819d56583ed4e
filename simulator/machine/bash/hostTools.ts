/** Tools of the machines that are this computer's own: GNU's, as on Amazon Linux, and a bash that is new enough. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const names =
  "awk basename cat chmod cmp cp cut date dirname echo env expr false flock grep gzip head id kill ln ls mkdir mktemp mv " +
  "od printf readlink realpath rm rmdir sed seq sha256sum sort stat tail tar tee touch tr true uname uniq wc xargs";

/** Where packages of Homebrew put what macOS has in an older or another version. */
const homebrew = [
  "/opt/homebrew/bin",
  ...["coreutils", "gnu-sed", "grep", "findutils", "gnu-tar", "gawk"].map(
    (name) => `/opt/homebrew/opt/${name}/libexec/gnubin`,
  ),
  "/opt/homebrew/opt/util-linux/bin",
];
const folders = [...homebrew, "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"];
const advice =
  "on macOS: brew install bash coreutils gnu-sed grep findutils gnu-tar gawk util-linux; elsewhere your distribution's packages of these names";

/** ERR traps that functions inherit and associative arrays, as the nodes' scripts need them. */
const oldestBash = 5;

let found: Map<string, string> | undefined;

/** Paths by name, `bash` and the real `timeout` and `find` among them; fails with one sentence that says what to install. */
export function hostTools(): Map<string, string> {
  return (found ??= look());
}

function look(): Map<string, string> {
  const tools = new Map<string, string>();
  for (const name of [...names.split(" "), "timeout", "find"]) {
    const path = folders.map((folder) => join(folder, name)).find(existsSync);
    if (path !== undefined) {
      tools.set(name, path);
    }
  }
  const bash = folders
    .map((folder) => join(folder, "bash"))
    .find((path) => existsSync(path) && version(path) >= oldestBash);
  if (bash !== undefined) {
    tools.set("bash", bash);
  }
  const missing = [...names.split(" "), "timeout", "find", "bash"].filter((name) => !tools.has(name));
  if (missing.length > 0) {
    const what = missing.map((name) => (name === "bash" ? `bash ${oldestBash} or newer` : name)).join(", ");
    throw new Error(
      `simulated machines run their scripts in bash and need ${what} on this computer (${advice})`,
    );
  }
  return tools;
}

function version(bash: string): number {
  return Number(execFileSync(bash, ["-c", "echo ${BASH_VERSINFO[0]}"], { encoding: "utf8" }));
}
