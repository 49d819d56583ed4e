/** When a cluster's data is exported and where it goes, as nodes are told. Pure. */

/** Where exports are in the bucket. Their names carry the time, so the newest is the last one of a listing. */
export const exportsPrefix = "exports/";

/** The times of the exports as systemd writes them (systemd.time(7), "Calendar events"). */
export function backupCalendar(intervalHours: number): string {
  return `*-*-* ${intervalHours === 24 ? "00" : `00/${intervalHours}`}:00:00 UTC`;
}

/** The text of parameter `<prefix>/backup`: shell assignments that the operations "sync", "backup" and "restore" read. */
export function backupParameterText(bucket: string, calendar: string): string {
  return `BACKUP_BUCKET='${bucket}'\nBACKUP_PREFIX='${exportsPrefix}'\nBACKUP_CALENDAR='${calendar}'\n`;
}
