/** When a cluster's data is exported and where it goes, as nodes are told. Pure. */

import { checked } from "../shared/inputs";
import { nameProblems } from "../shared/names";
import { choiceProblems } from "../shared/words";

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

/** The component's name begins the bucket's, so S3's rules hold for it (S3 user guide, "General purpose bucket naming rules"). */
export function backupNameProblems(name: unknown, part?: string): string[] {
  return nameProblems(
    name,
    {
      pattern: /^(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9][a-z0-9-]*$/i,
      characters:
        "letters, digits and hyphens, a letter or digit first, and not xn--, sthree- or amzn-s3-demo-, which S3 keeps for itself",
      made: [
        { suffix: "-snapshots", of: "an IAM role", longest: 64 },
        { suffix: "", of: "an S3 bucket", longest: 63 },
      ],
    },
    part,
  );
}
