import type { AccessChange } from "../access/safeguard";
import type { Change, ResourceChange } from "./change";
import type { Exposure } from "./exposure";
import type { Rollout } from "./rollout";
import type { Side } from "./side";
import { byName, enumerate } from "./values";

export const levels = ["safe", "restarts-nodes", "interrupts-service", "destroys-data"] as const;
export type Level = (typeof levels)[number];

/** What one has to know. `gate` names the condition of --fail-on that it meets. */
export interface Notice {
  audience: "clients" | "operators";
  level: Level;
  text: string;
  gate?: "replace-load-balancer" | "data-loss" | "parallel-restart";
}

export interface NoticeInput {
  change: Change;
  before: Side;
  after: Side;
  rollout: Rollout;
  /** The same by cluster. */
  rollouts: Rollout[];
  exposure: Exposure;
  access: AccessChange[];
}

export function names(resources: ResourceChange[]): string {
  return shortened(resources.map(({ name }) => name));
}

/** A list of names; long ones by their ends and their number. */
export function shortened(items: string[]): string {
  const sorted = [...new Set(items)].sort(byName);
  return sorted.length <= 6
    ? enumerate(sorted)
    : `${sorted.slice(0, 3).join(", ")} … ${sorted.at(-1)} (${items.length})`;
}
