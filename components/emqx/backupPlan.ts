/** When a cluster's data is exported and where it goes, as nodes are told. Pure. */

import { checked } from "../inputs";
import { choiceProblems, shown } from "../words";

/** Where exports are in the bucket. Their names carry the time, so the newest is the last one of a listing. */
export const exportsPrefix = "exports/";

/** Divisors of a day, so that exports come at the same times every day. */
const intervals = [1, 2, 3, 4, 6, 8, 12, 24];

/** The times of the exports as systemd writes them (systemd.time(7), "Calendar events"). */
export function backupCalendar(intervalHours: number): string {
  return `*-*-* ${intervalHours === 24 ? "00" : `00/${intervalHours}`}:00:00 UTC`;
}

/** The text of parameter `<prefix>/backup`: shell assignments that the operations "sync", "backup" and "restore" read. */
export function backupParameterText(bucket: string, calendar: string): string {
  return `BACKUP_BUCKET='${bucket}'\nBACKUP_PREFIX='${exportsPrefix}'\nBACKUP_CALENDAR='${calendar}'\n`;
}

export const backupIntervalInput = checked("number", (input, hours) =>
  choiceProblems(input, hours, intervals).map((problem) => `${problem}, the divisors of a day`),
);

/** The role of the snapshots has the longest name: 64 characters, of which "-snapshots" and Pulumi's suffix take 18. */
const longestName = 46;

/** The component's name begins the bucket's, so S3's rules hold for it; S3's longest name is 63 characters. */
export function backupNameProblems(name: unknown): string[] {
  const fits = typeof name === "string" && /^[a-z0-9][a-z0-9-]*$/i.test(name) && name.length <= longestName;
  return fits && !/^(xn--|sthree-|amzn-s3-demo-)/i.test(name)
    ? []
    : [
        `name: ${shown(name)} begins the name of an S3 bucket and that of an IAM role, so it must be 1 to ${longestName} ` +
          `letters, digits and hyphens, must begin with a letter or a digit, and not with xn--, sthree- or amzn-s3-demo-`,
      ];
}
