import { existsSync, readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { commandLine, isAlive } from "../processes";
import { shortName } from "./stacks";
import type { Surroundings } from "./surroundings";

/** A lock of the file backend: somebody is changing this stack, or was when he died. */
export interface StackLock {
  pid: number;
  hostname: string;
  since: Date;
  /** What the holder runs, when it lives here. */
  command: string;
  isStale: boolean;
}

interface LockFile {
  pid: number;
  hostname: string;
  timestamp: string;
}

export function readLocks(surroundings: Surroundings, stack: string): StackLock[] {
  const { name } = parse(readFileSync(join(surroundings.project, "Pulumi.yaml"), "utf8")) as { name: string };
  const folder = join(surroundings.backend, ".pulumi", "locks", "organization", name, shortName(stack));
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .flatMap((file) => readLock(join(folder, file)));
}

function readLock(file: string): StackLock[] {
  let content: LockFile;
  try {
    content = JSON.parse(readFileSync(file, "utf8")) as LockFile;
  } catch {
    return []; // just released, or not yet written to its end
  }
  const { pid, timestamp } = content;
  const isHere = content.hostname === hostname();
  const command = isHere && isAlive(pid) ? commandLine(pid) : "";
  // The id may meanwhile belong to another program.
  const isStale = isHere && !/\bpulumi\b/.test(command);
  return [{ pid, hostname: content.hostname, since: new Date(timestamp), command, isStale }];
}

export function describeLock({ pid, hostname: host, since, command }: StackLock): string {
  const what = command === "" ? "a Pulumi command" : `\`${shortCommand(command)}\``;
  const where = host === hostname() ? `process ${pid}` : `process ${pid} on ${host}`;
  return `${what} (${where}, since ${since.toLocaleTimeString()})`;
}

/** Without the folders and the wrapper's own flags. */
function shortCommand(command: string): string {
  return command.replace(/^\S*\/(?=pulumi\b)/, "").replace(/ --config-file \S+/, "");
}
