/** Tables of what was measured. */
import Table from "cli-table3";

export const programs = ["components", "by hand", "by hand, tuned"] as const;
export type Program = (typeof programs)[number];

export interface Measurement {
  /** The literal CLI, from start to end. */
  previewSeconds: number;
  /** The program's imports, transpiling included. */
  loadMilliseconds: number;
  /** Processor time of the program's Node process, SDK included. */
  cpuSeconds: number;
  /** Resident memory of the program's Node process at its peak. */
  peakMegabytes: number;
}

export interface Row extends Measurement {
  resources: number;
  inAws: number;
  longestChain: number;
  userDataBytes: number;
}

export interface Size {
  nodeCount: number;
  rows: Record<Program, Row>;
}

export function median(values: number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const columns: [title: string, value: (row: Row) => number, digits: number][] = [
  ["preview, s", (row) => row.previewSeconds, 2],
  ["program's CPU, s", (row) => row.cpuSeconds, 2],
  ["peak memory, MB", (row) => row.peakMegabytes, 0],
  ["load, ms", (row) => row.loadMilliseconds, 0],
  ["resources", (row) => row.resources, 0],
  ["in the cloud", (row) => row.inAws, 0],
  ["longest chain", (row) => row.longestChain, 0],
  ["user data, bytes", (row) => row.userDataBytes, 0],
];

export function printTables(sizes: Size[]): void {
  const table = new Table({
    head: ["nodes", "", "components", "by hand", "ratio", "by hand, tuned", "ratio"],
    colAligns: ["right", "left", "right", "right", "right", "right", "right"],
    style: { head: [], border: [] },
  });
  for (const { nodeCount, rows } of sizes) {
    for (const [title, value, digits] of columns) {
      table.push(line(String(nodeCount), title, (program) => value(rows[program]), digits));
    }
  }
  sizes.slice(1).forEach((size, i) => {
    const before = sizes[i]!;
    const perNode = (program: Program) =>
      ((size.rows[program].previewSeconds - before.rows[program].previewSeconds) * 1000) /
      (size.nodeCount - before.nodeCount);
    const title = "preview per node more, ms";
    table.push(line(`${before.nodeCount}–${size.nodeCount}`, title, perNode, 0));
  });
  console.log(table.toString());
}

function line(nodes: string, title: string, value: (program: Program) => number, digits: number): string[] {
  const [ours, ...others] = programs.map(value) as [number, ...number[]];
  const compared = others.flatMap((theirs) => [theirs.toFixed(digits), (ours / theirs).toFixed(2)]);
  return [nodes, title, ours.toFixed(digits), ...compared];
}
