/** Whose the files of a machine are: nobody is root here, so what `chown` says is kept beside them. */
import { type BigIntStats, lstatSync } from "node:fs";

/** Of all disks: a disk keeps its files' owners when its machine is switched off and on again. */
const byFile = new Map<string, string>();

export class Owners {
  /** `user:group`; root's unless somebody said otherwise. Follows a file that is renamed. */
  of(path: string): string {
    return byFile.get(identity(lstatSync(path, { bigint: true }))) ?? "root:root";
  }

  set(path: string, owner: string): void {
    byFile.set(identity(lstatSync(path, { bigint: true })), owner);
  }
}

function identity({ dev, ino, birthtimeNs }: BigIntStats): string {
  return `${dev}/${ino}/${birthtimeNs}`;
}
