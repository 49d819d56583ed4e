import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { commandLine, isAlive } from "../processes";
import { projectOf, shortName } from "./stacks";
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

function isLockFile(value: unknown): value is LockFile {
  const { pid, hostname: host, timestamp } = (value ?? {}) as Partial<LockFile>;
  return Number.isInteger(pid) && typeof host === "string" && !Number.isNaN(Date.parse(String(timestamp)));
}

function lockFiles(surroundings: Surroundings, stack: string): string[] {
  const project = projectOf(surroundings, stack);
  const folder = join(surroundings.backend, ".pulumi", "locks", "organization", project, shortName(stack));
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => join(folder, file));
}

export function readLocks(surroundings: Surroundings, stack: string): StackLock[] {
  return lockFiles(surroundings, stack).flatMap((file) => readLock(file) ?? []);
}

/** Removes locks that say nothing; the backend writes a lock whole or not at all, so nobody holds such a one. */
export function removeDamagedLocks(surroundings: Surroundings, stack: string): string[] {
  const damaged = lockFiles(surroundings, stack).filter((file) => readLock(file) === undefined);
  for (const file of damaged) rmSync(file, { recursive: true, force: true });
  return damaged;
}

/** None where it was just released; undefined where it is damaged. */
function readLock(file: string): StackLock[] | undefined {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? [] : undefined;
  }
  if (!isLockFile(content)) return undefined;
  const { pid, timestamp } = content;
  const isHere = content.hostname === hostname();
  const command = isHere && isAlive(pid) ? commandLine(pid) : "";
  // The id may meanwhile belong to another program.
  const isStale = isHere && !/\bpulumi\b/.test(command);
  return [{ pid, hostname: content.hostname, since: new Date(timestamp), command, isStale }];
}

export function describeLock({ pid, hostname: host, since, command }: StackLock): string {
  const what = command === "" ? "a Pulumi command" : `\`${command.replace(/^\S*\/(?=pulumi\b)/, "")}\``;
  const where = host === hostname() ? `process ${pid}` : `process ${pid} on ${host}`;
  return `${what} (${where}, since ${since.toLocaleTimeString()})`;
}
