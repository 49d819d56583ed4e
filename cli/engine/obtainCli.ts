import { constants, copyFileSync, mkdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { gt, major } from "semver";
import type { Speaker } from "../console";
import { UserError } from "../console";
import { withFileLock } from "../fileLock";
import { buildCli } from "./buildCli";
import { cacheDirectory } from "./cache";
import { downloadCli } from "./downloadCli";
import type { Cli } from "./findCli";
import { cachedCommand, findInstalledCli } from "./findCli";
import { hasLanguageHost, installLanguageHost } from "./hostLauncher";

/** The steps that need a network or minutes, so that tests can stand in for them. */
export interface Sources {
  download: typeof downloadCli;
  build: typeof buildCli;
}

const realSources: Sources = { download: downloadCli, build: buildCli };

/**
 * A Pulumi CLI with a Node.js language host: an installed one of exactly this version, else Pulumi's download,
 * else a newer one that is installed, else built from source.
 */
export async function obtainCli(
  version: string,
  env: NodeJS.ProcessEnv,
  speaker: Speaker,
  sources: Sources = realSources,
): Promise<Cli> {
  const cache = cacheDirectory(env);
  const installed = findInstalledCli(version, cache, env);
  const cli = installed.exact ?? (await acquire(version, cache, installed.other, env, speaker, sources));
  return withLanguageHost(cli, cache, env);
}

async function acquire(
  version: string,
  cache: string,
  other: Cli | undefined,
  env: NodeJS.ProcessEnv,
  speaker: Speaker,
  sources: Sources,
): Promise<Cli> {
  if (other) speaker.say(`${other.command} is Pulumi ${other.version}; this repository uses ${version}.`);
  return withFileLock(
    join(cache, `${version}.lock`),
    async () => {
      const meanwhile = findInstalledCli(version, cache, env).exact;
      if (meanwhile) return meanwhile;
      const downloaded = await sources.download(version, cache, speaker);
      if (downloaded) return downloaded;
      if (other && isUsable(other.version, version)) {
        speaker.say(`Going on with ${other.command} (${other.version}), which is newer.`);
        return other;
      }
      const built = await sources.build(version, cache, env, speaker);
      if (built) return built;
      throw new UserError(nothingToRun(version, other));
    },
    (holder) => speaker.say(`Process ${holder} is getting Pulumi ${version} already; waiting for it …`),
  );
}

/** A newer CLI drives an older SDK of the same major version; an older one may lack what the SDK asks for. */
function isUsable(found: string, wanted: string): boolean {
  return major(found) === major(wanted) && gt(found, wanted);
}

/** A CLI that came without its language host goes on from a copy with ours beside it. */
function withLanguageHost(cli: Cli, cache: string, env: NodeJS.ProcessEnv): Cli {
  const own = cachedCommand(cache, cli.version);
  if (cli.command !== own) {
    if (hasLanguageHost(cli.command, env)) return cli;
    mkdirSync(dirname(own), { recursive: true });
    const temporary = `${own}.${process.pid}`;
    copyFileSync(cli.command, temporary, constants.COPYFILE_FICLONE);
    renameSync(temporary, own);
  }
  installLanguageHost(dirname(own));
  return { command: own, version: cli.version };
}

function nothingToRun(version: string, other: Cli | undefined): string {
  return [
    `there is no Pulumi CLI to run${other ? ` (${other.command} is ${other.version}, too old)` : ""}. Do one of these:`,
    `  - install Pulumi ${version}: https://www.pulumi.com/docs/install/versions/ (any folder on PATH will do)`,
    "  - install Go 1.25.11 or newer (https://go.dev/dl/), and this command builds Pulumi itself",
    "Then run the same command again.",
  ].join("\n");
}
