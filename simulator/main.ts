/**
 * The process of a simulated region.
 *
 *     node --require ./simulator/typescript.cjs simulator/main.ts --directory DIR [--port N] [--account FILE]
 *                                            [--machines running|judged] [--time-scale FACTOR]
 *
 * With `--machines running` instances boot into brokers on loopback addresses and load balancers carry traffic (see
 * dataplane/); `--time-scale` shortens what they wait for (health checks, boot, cluster), 0.1 unless given. With
 * `judged`, the default, a node is ready when nothing the region knows speaks against it.
 *
 * One process serves one account (all its regions, any number of stacks) and keeps its state in DIR:
 *
 *     DIR/region.json     who serves this directory; written when both ports listen, removed at a clean end
 *     DIR/account.json    the account's state (a snapshot)
 *     DIR/account.journal changes since the snapshot, one JSON line per operation; replayed at start
 *
 * region.json:
 *
 *     { "version": 1, "pid": 4711,
 *       "port": 41234,            gRPC provider: PULUMI_DEBUG_PROVIDERS=aws:41234,random:41234,tls:41234
 *       "controlPort": 41235,     JSON over HTTP on 127.0.0.1, see control.ts; client: RegionClient in client.ts
 *       "token": "…",             every control request carries `authorization: Bearer <token>`
 *       "directory": "/…/DIR", "startedAt": "2026-01-01T00:00:00.000Z" }
 *
 * Start: spawn the line above (detached, output to a log file of the starter) and wait for region.json with the
 * child's pid. The same JSON, without the token, is the first line on stdout. If another live process serves DIR
 * the new one says so and ends with code 3; state that cannot be read ends it with code 4 and one message that
 * says what to do; every other failure to start has code 1.
 *
 * Find: read region.json; the region is alive when the pid lives *and* `GET /status` answers with the token.
 * A file whose process is gone is stale: just start again, nothing is lost.
 *
 * Stop: `POST /shutdown`, SIGTERM or SIGINT. All of them write the snapshot, remove region.json and end with 0.
 */
import { randomBytes } from "crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "fs";
import { join, resolve } from "path";
import { parseArgs } from "util";
import { readRegionFile, RegionClient, type RegionFile } from "./client";
import type { Cloud } from "./cloud";
import type { RunningMachines } from "./dataplane";
import type { MachineHost } from "./machines";
import { isAlive } from "./processes";
import { Seeds } from "./seeds";
import { RegionServer } from "./server";
import { StateError } from "./store";

const exitCodes = { failed: 1, alreadyServed: 3, unreadableState: 4 };

class AlreadyServed extends Error {}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      directory: { type: "string" },
      port: { type: "string" },
      account: { type: "string" },
      machines: { type: "string", default: "judged" },
      "time-scale": { type: "string", default: "0.1" },
    },
  });
  if (values.directory === undefined) {
    throw new Error(
      "usage: node --require ./simulator/typescript.cjs simulator/main.ts --directory DIR [--port N] [--account FILE] " +
        "[--machines running|judged] [--time-scale FACTOR]",
    );
  }
  const directory = resolve(values.directory);
  mkdirSync(directory, { recursive: true });
  await refuseSecond(directory);
  const machineKind = values.machines;
  if (machineKind !== "running" && machineKind !== "judged") {
    throw new Error(`--machines is running or judged, got "${machineKind}"`);
  }
  const timeScale = Number(values["time-scale"]);
  if (!(timeScale > 0)) {
    throw new Error(`--time-scale is a number above 0, got "${values["time-scale"]}"`);
  }
  // Loaded when needed: brokers are no small thing.
  const dataPlane = machineKind === "running" ? await import("./dataplane") : undefined;
  let running: RunningMachines | undefined;
  const runOn =
    ({ runMachines }: NonNullable<typeof dataPlane>) =>
    (cloud: Cloud): MachineHost => {
      running = runMachines(cloud, {
        clocks: { healthChecks: timeScale, boot: timeScale, cluster: timeScale },
        log: (line) => console.log(`${new Date().toISOString()} ${line}`),
      });
      return running.host;
    };
  const region = await RegionServer.start({
    directory,
    ...(dataPlane === undefined ? {} : { machines: runOn(dataPlane) }),
    port: values.port === undefined ? 0 : Number(values.port),
    ...(values.account === undefined ? {} : { seeds: Seeds.load(values.account) }),
    onShutdown: () => void stop(),
  });
  if (dataPlane !== undefined && running !== undefined) {
    dataPlane.addDataPlaneRoutes(region.control, running);
  }
  const file: RegionFile = {
    version: 1,
    pid: process.pid,
    port: region.port,
    controlPort: region.controlPort,
    token: region.token,
    directory,
    startedAt: new Date().toISOString(),
  };
  const stop = async (): Promise<void> => {
    await region.close();
    if (readRegionFile(directory)?.pid === process.pid) {
      rmSync(join(directory, "region.json"), { force: true });
    }
    process.exit(0);
  };
  process.on("SIGTERM", () => void stop());
  process.on("SIGINT", () => void stop());
  const temporary = join(directory, `region.json.${randomBytes(4).toString("hex")}`);
  writeFileSync(temporary, JSON.stringify(file), { mode: 0o600 });
  renameSync(temporary, join(directory, "region.json"));
  console.log(JSON.stringify({ ...file, token: "(in region.json)" }));
}

/** Two processes must not write one state. */
async function refuseSecond(directory: string): Promise<void> {
  const other = readRegionFile(directory);
  if (!other || other.pid === process.pid || !isAlive(other.pid)) {
    return;
  }
  const answers = await new RegionClient(other).status().then(
    () => true,
    () => false,
  );
  if (answers) {
    throw new AlreadyServed(`process ${other.pid} already serves ${directory} on port ${other.port}`);
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(
    error instanceof AlreadyServed
      ? exitCodes.alreadyServed
      : error instanceof StateError
        ? exitCodes.unreadableState
        : exitCodes.failed,
  );
});
