import { type AccessChange, isLoosened } from "./access/safeguard";
import { type Exposure, opensFor } from "./change/exposure";
import type { Level, Notice } from "./change/notice";
import type { Rollout } from "./change/rollout";
import { type Gate, gates } from "./gates";

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
