import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SemVer } from "semver";
import type { Speaker } from "../console";
import type { Cli } from "./findCli";
import { cachedCommand } from "./findCli";

const reachableWithin = 4_000;
const downloadWithin = 300_000;

async function isReachable(url: string): Promise<boolean> {
  try {
    await fetch(url, { method: "HEAD", redirect: "manual", signal: AbortSignal.timeout(reachableWithin) });
    return true;
  } catch {
    return false;
  }
}

async function tooLate(): Promise<never> {
  await sleep(downloadWithin, undefined, { ref: false });
  throw new Error(`not finished after ${downloadWithin / 1000} s`);
}

/** Pulumi's own download into the cache; undefined, with the reason said, when it cannot be had. */
export async function downloadCli(
  version: string,
  cache: string,
  speaker: Speaker,
): Promise<Cli | undefined> {
  const host = "get.pulumi.com";
  if (!(await isReachable(`https://${host}/`))) {
    speaker.say(`The download of Pulumi ${version} is not reachable (${host}).`);
    return undefined;
  }
  speaker.say(`Downloading Pulumi ${version} from ${host}, once …`);
  const temporary = join(cache, `${version}.download-${process.pid}`);
  try {
    mkdirSync(temporary, { recursive: true });
    const { PulumiCommand } = await import("@pulumi/pulumi/automation");
    await Promise.race([PulumiCommand.install({ version: new SemVer(version), root: temporary }), tooLate()]);
    rmSync(join(cache, version), { recursive: true, force: true });
    renameSync(temporary, join(cache, version));
    return { command: cachedCommand(cache, version), version };
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    speaker.say(
      `The download failed: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`,
    );
    return undefined;
  }
}
