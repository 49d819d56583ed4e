import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { commandLine, isAlive } from "./processes";

/** Runs `work` while no other process does so under the same file. `onWait` is called once if it has to wait. */
export async function withFileLock<T>(
  file: string,
  work: () => Promise<T>,
  onWait: (holder: number) => void = () => {},
): Promise<T> {
  let hasWaited = false;
  while (!tryLock(file)) {
    const holder = holderOf(file);
    if (holder === undefined) {
      rmSync(file, { recursive: true, force: true });
      continue;
    }
    if (!hasWaited) onWait(holder);
    hasWaited = true;
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

/** The lock appears with its holder's name in it, so that a process that is killed leaves none without. */
function tryLock(file: string): boolean {
  mkdirSync(dirname(file), { recursive: true });
  const own = `${file}.${process.pid}`;
  writeFileSync(own, `${process.pid} ${commandLine(process.pid)}`);
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

/** The process that has the lock, if it lives; its id may meanwhile belong to another one. */
function holderOf(file: string): number | undefined {
  try {
    const [, pid, command] = /^(\d+) ([^]*)$/.exec(readFileSync(file, "utf8")) ?? [];
    const holder = Number(pid);
    return pid !== undefined && isAlive(holder) && commandLine(holder) === command ? holder : undefined;
  } catch {
    return undefined;
  }
}
