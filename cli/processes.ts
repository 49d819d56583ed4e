import { execFileSync } from "node:child_process";

/** Whether a process with this id lives (a process of another user counts as living). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function processField(pid: number, field: string): string {
  try {
    return execFileSync("ps", ["-o", `${field}=`, "-p", String(pid)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "";
  }
}

/** A killed process whose parent has not noticed yet still has its id, but does nothing any more. */
function isZombie(pid: number): boolean {
  return processField(pid, "stat").startsWith("Z");
}

/** The command line of a living process, or "" when it is gone or cannot be seen. */
export function commandLine(pid: number): string {
  return processField(pid, "args");
}
