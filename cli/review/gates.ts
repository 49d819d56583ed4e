/** Conditions that a pipeline can stop at: `--fail-on`. */
import { UserError } from "../console";

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
