import Table from "cli-table3";
import { execFileSync } from "node:child_process";
import type { Answer } from "../command";
import { regionStatus } from "../local/regionProcess";
import type { Session } from "../local/session";
import { accountOf, type AccountOptions } from "../smoke/account";
import { findDeployment } from "../smoke/deployment";
import type { Direction, LoadReport } from "./load";
import { load } from "./load";

export interface LoadCommandOptions extends AccountOptions {
  stack: string;
  clients: number;
  rate: number;
  seconds: number;
}

/** Exit code 1 when a client was dropped, could not connect, or a message is missing. */
export async function runLoad(
  session: Session,
  { stack, clients, rate, seconds, ...account }: LoadCommandOptions,
): Promise<Answer> {
  const { speaker, surroundings } = session;
  const deployment = await findDeployment(session, stack);
  const status = await regionStatus(surroundings);
  const pid =
    deployment.inside.kind === "simulated" && status.kind === "running" ? status.region.pid : undefined;
  const before = pid === undefined ? undefined : memoryMiB(pid);
  let held: number | undefined;
  const report = await load(deployment, {
    ...{ clients, rate, seconds, account: accountOf(account) },
    onProgress: (text) => {
      if (pid !== undefined) held = Math.max(held ?? 0, memoryMiB(pid));
      speaker.progress(text);
    },
  });
  const region = before === undefined || held === undefined ? undefined : { before, held };
  const { failedConnections, dropped, up, down } = report;
  const missing = up.sent - up.arrived + down.sent - down.arrived;
  return {
    facts: { ...report, ...(region && { regionMemoryMiB: region }) },
    text: () => format(report, region),
    exitCode: failedConnections + dropped + missing === 0 ? 0 : 1,
  };
}

function memoryMiB(pid: number): number {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) / 1024;
}

function format(report: LoadReport, region: { before: number; held: number } | undefined): string {
  const table = new Table({ style: { head: [], border: [], compact: true } });
  const course = ({ sent, arrived, medianMs, worstMs }: Direction) =>
    `${arrived} of ${sent}, median ${medianMs.toFixed(1)} ms, longest ${worstMs.toFixed(1)} ms`;
  table.push(
    ["Clients held", `${report.clients}, ${report.failedConnections} could not connect`],
    ["Dropped", report.dropped],
    [
      "Connecting",
      `${report.connectSeconds.toFixed(1)} s, ${report.connectionsPerSecond.toFixed(0)} a second`,
    ],
    ["Messages from clients", course(report.up)],
    ["Messages to clients", course(report.down)],
    ["Memory of the clients' process", `${report.clientMemoryMiB.toFixed(0)} MiB`],
  );
  if (region) {
    const perClient = ((region.held - region.before) * 1024) / report.clients;
    table.push([
      "Memory of the region's process",
      `${region.before.toFixed(0)} MiB before, at most ${region.held.toFixed(0)} MiB (${perClient.toFixed(0)} KiB a client)`,
    ]);
  }
  return table.toString();
}
