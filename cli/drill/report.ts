import Table from "cli-table3";
import pc from "picocolors";
import type { DrillReport } from "./drill";

const style = { head: [], border: [], compact: true };

function after(milliseconds: number | undefined, otherwise = ""): string {
  return milliseconds === undefined ? otherwise : `+${(milliseconds / 1000).toFixed(1)} s`;
}

export function formatDrill(report: DrillReport): string {
  const { fault, stack, done, timeline, alarms, repair, repaired } = report;
  const option = stack === "local" ? "" : ` -s ${stack}`;
  const outcome = repaired
    ? [
        `${pc.bold("Repaired")} within ${repaired.seconds} s: ${repaired.how}. ` +
          (repaired.well ? pc.green("All is well.") : pc.red("It is not well.")),
        ...repaired.lines.map((line) => `  ${line}`),
      ]
    : [
        `${pc.bold(pc.yellow("Not repaired:"))} the deployment stays like this. To put it right here: npm run drill -- repair${option}`,
        "In AWS:",
        ...repair.map((line) => `  - ${line}`),
      ];
  return [
    pc.bold(`Drill ${fault}, stack ${stack}: ${done}`),
    "",
    pc.bold("What happened"),
    ...timeline.map(({ after: at, text }) => `  ${after(at).padStart(8)}  ${text}`),
    "",
    pc.bold("What clients saw"),
    clientTable(report),
    messageTable(report),
    newConnections(report),
    "",
    pc.bold("What an alarm could have seen"),
    ...(alarms.length > 0
      ? alarms.map(({ metric, value, after: at }) => `  - ${metric}: ${value} ${after(at)}`.trimEnd())
      : ["  nothing: only a client that connects anew and says so"]),
    "",
    ...outcome,
  ].join("\n");
}

function clientTable({ clients }: DrillReport): string {
  const table = new Table({ head: ["Client", "Node before", "Lost", "Back", "Node after", "Error"], style });
  for (const client of clients) {
    const wasHit = client.lostAfter !== undefined;
    table.push([
      client.name,
      client.nodeBefore ?? "?",
      after(client.lostAfter, "never"),
      wasHit ? after(client.backAfter, "not yet") : "",
      client.nodeAfter ?? "none",
      client.lastError ?? "",
    ]);
  }
  return table.toString();
}

function messageTable({ messages, subscribers }: DrillReport): string {
  const head = [
    "QoS",
    "Published",
    "Not sent",
    "Unacknowledged",
    `Copies lost (of ${subscribers} each)`,
    "Lost everywhere",
    "Twice",
  ];
  const table = new Table({ head, style });
  for (const { qos, published, notSent, unacknowledged, lost, lostEverywhere, duplicates } of messages) {
    table.push([qos, published, notSent, unacknowledged, lost, lostEverywhere, duplicates]);
  }
  return table.toString();
}

function newConnections({ newConnections: { attempts, failures } }: DrillReport): string {
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  const reasons = Object.entries(failures).map(([error, count]) => `  ${count} × ${error}`);
  return [`New clients meanwhile: ${attempts - failed} of ${attempts} got in.`, ...reasons].join("\n");
}
