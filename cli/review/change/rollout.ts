/** Which nodes restart, in which order, and how many of them are down at the same time. */
import { types } from "../types";
import type { Change, ResourceChange } from "./change";
import { changed, parentUrn } from "./change";
import { grouped } from "./values";

export interface Rollout {
  /** Nodes so far. */
  total: number;
  restarted: ResourceChange[];
  added: ResourceChange[];
  removed: ResourceChange[];
  /** Those that were there and will be. */
  stays: ResourceChange[];
  /** The largest number of nodes that restart at the same time. */
  atOnce: number;
  /** In how many turns. */
  turns: number;
  /** The properties that make them restart, commonest first. */
  reasons: string[];
  /** Whether `atOnce` is known, or the most it can be. */
  isCertain: boolean;
}

/** Changes that the provider carries out by stopping and starting the instance. */
const stopping = new Set([
  "instanceType",
  "userData",
  "userDataBase64",
  "ebsOptimized",
  "cpuOptions",
  "hibernation",
]);

/** The nodes of each cluster by themselves: one cluster does not serve for another. */
export function rolloutsOf(change: Change): Rollout[] {
  const clusters = grouped(changed(change, types.instance), parentUrn);
  return [...clusters.values()].map((nodes) => rolloutOf(change, nodes));
}

export function rolloutOf(change: Change, instances = changed(change, types.instance)): Rollout {
  const restarted = instances.filter(restarts);
  const order = byDependencies(change, restarted);
  const sizes = new Map<number, number>();
  for (const turn of order.values()) sizes.set(turn, (sizes.get(turn) ?? 0) + 1);
  return {
    total: instances.filter(({ before }) => before !== undefined).length,
    restarted,
    added: instances.filter(({ operation }) => operation === "create"),
    removed: instances.filter(({ operation }) => operation === "delete"),
    stays: instances.filter(({ before, after }) => before !== undefined && after !== undefined),
    atOnce: Math.max(0, ...sizes.values()),
    turns: sizes.size,
    reasons: reasonsOf(restarted),
    isCertain: change.isWhole || restarted.length <= 1,
  };
}

function restarts({ operation, properties, after }: ResourceChange): boolean {
  if (operation === "replace") return true;
  return (
    operation === "update" &&
    properties.some(({ path }) => stopping.has(path.split(/[.[]/)[0] ?? "")) &&
    after !== undefined
  );
}

function reasonsOf(restarted: ResourceChange[]): string[] {
  const counts = new Map<string, number>();
  for (const { operation, properties } of restarted) {
    const causes = properties.filter(({ path, forcesReplacement }) =>
      operation === "replace" ? forcesReplacement : stopping.has(path),
    );
    for (const { path } of causes) counts.set(path, (counts.get(path) ?? 0) + 1);
  }
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([path]) => path);
}

/** A node's turn comes after those of the nodes that it or its volume depends on, through whatever lies between. */
function byDependencies(change: Change, restarted: ResourceChange[]): Map<ResourceChange, number> {
  const among = new Set(restarted.map(({ urn }) => urn));
  const ofVolumes = new Map<string, string[]>();
  for (const { urn } of changed(change, types.volumeAttachment)) {
    const all = dependenciesOf(change, urn);
    for (const own of all.filter((dependency) => among.has(dependency))) {
      ofVolumes.set(own, [...(ofVolumes.get(own) ?? []), ...all.filter((dependency) => dependency !== own)]);
    }
  }
  const turns = new Map<string, number>();
  /** The last turn of a restarted node at or before this resource. Iterative: chains are long. */
  const turnOf = (start: string): number => {
    const pending = [start];
    while (pending.length > 0) {
      const urn = pending.at(-1)!;
      if (turns.has(urn)) {
        pending.pop();
        continue;
      }
      const next = [...dependenciesOf(change, urn), ...(ofVolumes.get(urn) ?? [])];
      const open = next.filter((dependency) => !turns.has(dependency) && !pending.includes(dependency));
      if (open.length > 0) {
        pending.push(...open);
        continue;
      }
      const latest = Math.max(0, ...next.map((dependency) => turns.get(dependency) ?? 0));
      turns.set(urn, among.has(urn) ? latest + 1 : latest);
      pending.pop();
    }
    return turns.get(start) ?? 0;
  };
  return new Map(restarted.map((resource) => [resource, turnOf(resource.urn)]));
}

function dependenciesOf(change: Change, urn: string): string[] {
  const resource = change.byUrn.get(urn);
  return (resource?.after ?? resource?.before)?.dependencies ?? [];
}
