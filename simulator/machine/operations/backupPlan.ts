/** What a node knows of its cluster's backups: backup.env, which "sync" writes while backups are on. */
import { parseEnvironment, type FileSystem } from "../fileSystem";
import type { OperationRun } from "../operations";
import { nodeFolder } from "../script";

export interface BackupPlan {
  bucket: string;
  prefix: string;
}

const path = `${nodeFolder}/backup.env`;

export function backupPlan({ machine }: OperationRun): BackupPlan {
  const file = machine.files.get(path);
  if (file === undefined) {
    throw new Error(`backups are off: there is no ${path}`);
  }
  const { BACKUP_BUCKET: bucket = "", BACKUP_PREFIX: prefix = "" } = parseEnvironment(file.content);
  return { bucket, prefix };
}

/** When the node's timer elapses; undefined while backups are off. */
export function backupCalendarOf(files: FileSystem): string | undefined {
  return parseEnvironment(files.get(path)?.content ?? "")["BACKUP_CALENDAR"];
}

/** As EMQX names its exports, so that names sort by age. Nodes' clocks are in UTC. */
export function exportName(now: Date): string {
  const [date, time] = now.toISOString().slice(0, -1).split("T");
  return `emqx-export-${date}-${time!.replaceAll(":", "-")}.tar.gz`;
}

export function isExportName(name: string): boolean {
  return /^emqx-export-[0-9.-]*\.tar\.gz$/.test(name);
}
