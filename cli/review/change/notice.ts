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

export function clients(level: Level, text: string, gate?: Notice["gate"]): Notice {
  return { audience: "clients", level, text, ...(gate && { gate }) };
}

export function operators(level: Level, text: string, gate?: Notice["gate"]): Notice {
  return { audience: "operators", level, text, ...(gate && { gate }) };
}

/** What there is to say of things, where there are any. */
export function ofAny<T>(things: readonly T[], say: (things: readonly T[]) => Notice): Notice[] {
  return things.length === 0 ? [] : [say(things)];
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

export function names(resources: readonly ResourceChange[]): string {
  return shortened(resources.map(({ name }) => name));
}

/** A list of names; long ones by their ends and their number. */
export function shortened(items: readonly string[]): string {
  const sorted = [...new Set(items)].sort(byName);
  return sorted.length <= 6
    ? enumerate(sorted)
    : `${sorted.slice(0, 3).join(", ")} … ${sorted.at(-1)} (${items.length})`;
}
