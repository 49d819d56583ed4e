import { execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { findOnPath, isExecutable } from "./hostLauncher";

export interface Cli {
  /** The executable, with its full path. */
  command: string;
  version: string;
}

/** Asks a CLI for its version; undefined when it is none or does not answer. */
export function versionOf(command: string, env: NodeJS.ProcessEnv): string | undefined {
  try {
    const answer = execFileSync(command, ["version"], {
      encoding: "utf8",
      env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 20_000,
    });
    return /^v?(\d+\.\d+\.\d+\S*)/.exec(answer.trim())?.[1];
  } catch {
    return undefined;
  }
}

interface Found {
  /** A CLI of exactly the version that is wanted. */
  exact?: Cli;
  /** What `pulumi` on PATH is, when it is of another version. */
  other?: Cli;
}

/** Looks where a CLI is commonly installed, then in our cache. */
export function findInstalledCli(version: string, cache: string, env: NodeJS.ProcessEnv): Found {
  const onPath = findOnPath("pulumi", env);
  const pulumiHome = join(env.HOME ?? homedir(), ".pulumi");
  const places = [
    onPath,
    join(pulumiHome, "versions", version, "bin", "pulumi"),
    join(pulumiHome, "bin", "pulumi"),
  ];
  let other: Cli | undefined;
  for (const place of places) {
    if (place === undefined || !isExecutable(place)) continue;
    const command = realpathSync(place);
    const found = versionOf(command, env);
    if (found === version) return { exact: { command, version }, other };
    if (place === onPath && found !== undefined) other = { command, version: found };
  }
  // What is in the cache was asked for its version before it got there.
  const cached = cachedCommand(cache, version);
  return isExecutable(cached) ? { exact: { command: cached, version }, other } : { other };
}

export function cachedCommand(cache: string, version: string): string {
  return join(cache, version, "bin", "pulumi");
}
