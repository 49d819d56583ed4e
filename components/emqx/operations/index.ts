/** What a node does after its first boot: one bash fragment an operation, which the boot script runs in its own terms. */
import { backupOperation } from "./backup";
import { drainOperation } from "./drain";
import { joinOperation } from "./join";
import { restoreOperation } from "./restore";
import { servicesOperation } from "./services";
import { syncOperation } from "./sync";

/** Operations by name, as they are kept in the parameters `<prefix>/operations/<name>`. */
export const operations: Record<string, string> = {
  sync: syncOperation,
  services: servicesOperation,
  join: joinOperation,
  drain: drainOperation,
  backup: backupOperation,
  restore: restoreOperation,
};
