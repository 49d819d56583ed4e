/** Conditions that a pipeline can stop at: `--fail-on`. */
import { UserError } from "../console";
import { type AccessChange, isLoosened } from "./access/safeguard";
import { type Exposure, opensFor } from "./change/exposure";
import type { Level, Notice } from "./change/notice";
import type { Rollout } from "./change/rollout";

/** Exit codes: 0 nothing to object to, 1 no review could be made, 3 a gate is met. */
export const gateExitCode = 3;

export const gates = {
  "replace-load-balancer": "the load balancer is replaced or deleted, so its DNS name changes",
  "data-loss": "a data volume or a log group is deleted or replaced without being kept",
  exposure:
    "something becomes reachable that was not so far, a safeguard becomes weaker or may (authentication, ACL, TLS, permissions …), or an exposure alarm is new",
  "exposure-alarm":
    "cluster ports open to addresses, the dashboard or nodes open to the world, a public address on a node, clients from the internet without authentication; also if it was so before",
  "parallel-restart": "two or more nodes restart at the same time",
  "node-restart": "a node restarts or is removed",
  interruption: "the verdict is “interrupts service” or worse",
} as const;
export type Gate = keyof typeof gates;

export function parseGates(text: string): Gate[] {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const unknown = names.filter((name) => !Object.hasOwn(gates, name));
  if (unknown.length > 0) {
    throw new UserError(
      `--fail-on: there is no ${unknown.join(", ")}; the gates are ${Object.keys(gates).join(", ")}`,
    );
  }
  return names as Gate[];
}

interface Facts {
  notices: Notice[];
  exposure: Exposure;
  access: AccessChange[];
  rollout: Rollout;
  level: Level;
}

export function gatesMet({ notices, exposure, access, rollout, level }: Facts): Gate[] {
  const met: Record<Gate, boolean> = {
    "replace-load-balancer": notices.some(({ gate }) => gate === "replace-load-balancer"),
    "data-loss": notices.some(({ gate }) => gate === "data-loss"),
    exposure:
      exposure.rows.some(opensFor) || access.some(isLoosened) || exposure.alarms.some(({ isNew }) => isNew),
    "exposure-alarm": exposure.alarms.length > 0,
    "parallel-restart": notices.some(({ gate }) => gate === "parallel-restart"),
    "node-restart": rollout.restarted.length + rollout.removed.length > 0,
    interruption: level === "interrupts-service" || level === "destroys-data",
  };
  return (Object.keys(gates) as Gate[]).filter((gate) => met[gate]);
}
