import { certificateCommand } from "./certificate/command";
import type { CommandShape } from "./command";
import { costCommand } from "./cost/command";
import { drillCommand } from "./drill/command";
import { hostsCommand } from "./hosts/command";
import { loadCommand } from "./load/command";
import { pulumiCommands, statusCommand } from "./local/command";
import { nodeCommand } from "./node/command";
import { consoleCommand, regionCommand } from "./region/command";
import { diagramCommand, reviewCommand } from "./review/command";
import { sizeCommand } from "./size/command";
import { smokeCommand } from "./smoke/command";

/** Every command, in the order of the help. */
export const commands: readonly CommandShape[] = [
  ...pulumiCommands,
  statusCommand,
  smokeCommand,
  drillCommand,
  loadCommand,
  nodeCommand,
  certificateCommand,
  consoleCommand,
  regionCommand,
  reviewCommand,
  diagramCommand,
  costCommand,
  sizeCommand,
  hostsCommand,
];
