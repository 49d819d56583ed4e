import {
  accessSync,
  chmodSync,
  constants,
  readFileSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** The host of this repository; `pulumi-language-nodejs` beside a CLI leads to it. */
export const languageHostPath = join(__dirname, "host", "languageHost.cjs");

const launcherName = "pulumi-language-nodejs";
const launcher = join(__dirname, "host", launcherName);

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The first executable of that name on PATH. */
export function findOnPath(name: string, env: NodeJS.ProcessEnv): string | undefined {
  return (env.PATH ?? "")
    .split(delimiter)
    .filter((directory) => directory !== "")
    .map((directory) => join(directory, name))
    .find(isExecutable);
}

/** A CLI looks beside its real file; a host that is only on PATH works too, but Pulumi warns about it. */
export function hasLanguageHost(command: string, env: NodeJS.ProcessEnv): boolean {
  return (
    isExecutable(join(dirname(realpathSync(command)), launcherName)) ||
    findOnPath(launcherName, env) !== undefined
  );
}

/** Puts our launcher beside a CLI in a folder of our own. */
export function installLanguageHost(directory: string): void {
  const target = join(directory, launcherName);
  const content = readFileSync(launcher);
  if (isExecutable(target) && (isOfficialHost(target) || readFileSync(target).equals(content))) return;
  const temporary = `${target}.${process.pid}`;
  writeFileSync(temporary, content);
  chmodSync(temporary, 0o755);
  renameSync(temporary, target);
}

/** Pulumi's own host is a program of many megabytes; ours is a script. */
function isOfficialHost(file: string): boolean {
  return !readFileSync(file).subarray(0, 2).equals(Buffer.from("#!"));
}
