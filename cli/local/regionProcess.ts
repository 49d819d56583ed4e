import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RegionClient } from "@emqx-aws/simulator/client";
import type { Endpoint } from "@emqx-aws/simulator/dataplane";
import type { Speaker } from "../console";
import { UserError } from "../console";
import { withFileLock } from "../fileLock";
import { readParsed } from "../files";
import { isAlive } from "../processes";
import { repositoryRoot } from "../repository";
import type { Surroundings } from "./surroundings";

/** region.json: who serves a region's folder. Described at the top of simulator/main.ts. */
export interface RegionProcess {
  version: number;
  pid: number;
  port: number;
  controlPort: number;
  token: string;
  startedAt: string;
}

export type RegionStatus =
  | { kind: "running"; region: RegionProcess; isOutdated: boolean }
  | { kind: "stopped" }
  /** Its file is there but the process is gone, or lives and does not answer. */
  | { kind: "dead"; region: RegionProcess }
  | { kind: "silent"; region: RegionProcess };

const startsWithin = 30_000;
const stopsWithin = 15_000;
const answersWithin = 3_000;

function regionFile(surroundings: Surroundings): string {
  return join(surroundings.region, "region.json");
}

/** Undefined where there is none. A damaged one hides a process that may live, and two must not write one state. */
function readRegionFile(surroundings: Surroundings): RegionProcess | undefined {
  const file = regionFile(surroundings);
  if (!existsSync(file)) return undefined;
  const remedy =
    "So the simulated region's process cannot be found. End it where it runs: " +
    `pkill -f -- '--directory ${surroundings.region} '; then: rm -r ${file}; its state stays.`;
  return readParsed(file, JSON.parse, isRegionFile, remedy);
}

function isRegionFile(value: unknown): value is RegionProcess {
  const { pid, port, controlPort, token } = (value ?? {}) as Partial<RegionProcess>;
  return [pid, port, controlPort].every(Number.isInteger) && typeof token === "string";
}

async function answers(region: RegionProcess): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${region.controlPort}/status`, {
      headers: { authorization: `Bearer ${region.token}` },
      signal: AbortSignal.timeout(answersWithin),
    });
    return response.ok;
  } catch {
    return false;
  }
}

export async function regionStatus(surroundings: Surroundings): Promise<RegionStatus> {
  const region = readRegionFile(surroundings);
  if (region === undefined) return { kind: "stopped" };
  if (!isAlive(region.pid)) return { kind: "dead", region };
  if (!(await answers(region))) return { kind: "silent", region };
  return { kind: "running", region, isOutdated: newestSource(surroundings) > Date.parse(region.startedAt) };
}

/** When the code of the simulated region last changed. */
function newestSource({ regionMain }: Surroundings): number {
  const folder = dirname(regionMain);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  return Math.max(0, ...files.map((file) => statSync(file).mtimeMs));
}

/** Starts the region if it does not run, repairs what is dead or silent, and says so. */
export function ensureRegion(
  surroundings: Surroundings,
  speaker: Speaker,
  options: { mayRestart?: boolean } = {},
): Promise<RegionProcess> {
  const start = async () => {
    const status = await regionStatus(surroundings);
    switch (status.kind) {
      case "running":
        if (!status.isOutdated || options.mayRestart === false) return status.region;
        speaker.say("The simulated region runs older code than this repository has; restarting it.");
        await stopProcess(status.region);
        break;
      case "dead":
        speaker.say(
          `The simulated region (process ${status.region.pid}) is gone; starting it again with its state.`,
        );
        break;
      case "silent":
        speaker.say(`The simulated region (process ${status.region.pid}) does not answer; restarting it.`);
        await stopProcess(status.region);
        break;
      case "stopped":
        speaker.say("Starting the simulated region.");
        break;
    }
    return startProcess(surroundings);
  };
  return withFileLock(join(surroundings.root, "region.lock"), start, (holder) =>
    speaker.say(`Process ${holder} starts or stops the simulated region; waiting for it …`),
  );
}

async function startProcess(surroundings: Surroundings): Promise<RegionProcess> {
  mkdirSync(surroundings.region, { recursive: true });
  mkdirSync(dirname(surroundings.regionLog), { recursive: true });
  const log = openSync(surroundings.regionLog, "a");
  const logged = existsSync(surroundings.regionLog) ? statSync(surroundings.regionLog).size : 0;
  const child = spawn(
    process.execPath,
    [
      ...["--require", "@emqx-aws/simulator/typescript.cjs", surroundings.regionMain],
      ...["--directory", surroundings.region, "--machines", surroundings.machines],
    ],
    {
      cwd: repositoryRoot,
      detached: true,
      stdio: ["ignore", log, log],
    },
  );
  closeSync(log);
  child.unref();
  let exitCode: number | null | undefined;
  child.once("exit", (code) => (exitCode = code));
  child.once("error", () => (exitCode = null));

  for (const deadline = Date.now() + startsWithin; Date.now() < deadline; await sleep(50)) {
    const region = readRegionFile(surroundings);
    if (region?.pid === child.pid && region !== undefined && (await answers(region))) return region;
    if (exitCode !== undefined) break;
  }
  if (exitCode === undefined) child.kill("SIGKILL");
  const how =
    exitCode === undefined ? `within ${startsWithin / 1000} s` : `(exit code ${exitCode ?? "none"})`;
  const printed = readFileSync(surroundings.regionLog).subarray(logged).toString().trim();
  throw new UserError(
    [
      `the simulated region did not start ${how}`,
      ...printed.split("\n").slice(-15),
      `Its log: ${surroundings.regionLog}`,
    ].join("\n"),
  );
}

/** Stops the region; its state stays. Returns whether it ran. */
export async function stopRegion(surroundings: Surroundings): Promise<boolean> {
  return withFileLock(join(surroundings.root, "region.lock"), async () => {
    const region = readRegionFile(surroundings);
    if (region === undefined || !isAlive(region.pid)) return false;
    await stopProcess(region);
    return true;
  });
}

async function stopProcess({ pid }: RegionProcess): Promise<void> {
  process.kill(pid, "SIGTERM");
  for (const deadline = Date.now() + stopsWithin; Date.now() < deadline; await sleep(50)) {
    if (!isAlive(pid)) return;
  }
  process.kill(pid, "SIGKILL");
}

/** Where load balancers answer on this machine; none while the region does not run, or runs without machines. */
export async function endpointsOf(surroundings: Surroundings): Promise<Endpoint[]> {
  const status = await regionStatus(surroundings);
  if (status.kind !== "running" || surroundings.machines !== "running") return [];
  return new RegionClient(status.region).endpoints().catch(() => []);
}
