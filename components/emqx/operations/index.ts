/** What a node does after its first boot: one bash fragment an operation, which the boot script runs in its own terms. */
import { createHash } from "node:crypto";
import { backupOperation } from "./backup";
import { commonFunctions } from "./common";
import { drainOperation } from "./drain";
import { existingOperation } from "./existing";
import { installOperation } from "./install";
import { joinOperation } from "./join";
import { restoreOperation } from "./restore";
import { servicesOperation } from "./services";
import { syncOperation } from "./sync";
import { tlsOperation } from "./tls";
import { upkeepOperation } from "./upkeep";

/** Operations by name, as they are kept in the parameters `<prefix>/operations/<name>`. */
export const operations: Record<string, string> = {
  common: commonFunctions,
  sync: syncOperation,
  services: servicesOperation,
  upkeep: upkeepOperation,
  tls: tlsOperation,
  install: installOperation,
  join: joinOperation,
  drain: drainOperation,
  backup: backupOperation,
  restore: restoreOperation,
};

/** What only those nodes have whose settings come from parameters that somebody else keeps. */
export const existing: Record<string, string> = { existing: existingOperation };

/** Of a SHA-256 sum, enough to tell one text from another. */
const digestDigits = 12;

/**
 * The text of parameter `<prefix>/operations/list`, a shell assignment: the operations, each with the beginning of its SHA-256
 * sum. By it, a node keeps none that is damaged, half there or older.
 */
export function operationsParameterText(texts: Record<string, string> = operations): string {
  const digests = Object.entries(texts).map(([name, script]) => {
    // A node drops line ends at the end.
    const sum = createHash("sha256").update(script.trimEnd()).digest("hex");
    return `${name}=${sum.slice(0, digestDigits)}`;
  });
  return `OPERATIONS='${digests.join(" ")}'\n`;
}
