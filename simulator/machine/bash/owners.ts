/** Whose the files of a machine are: nobody is root here, so what `chown` says is kept beside them. */
import { type BigIntStats, lstatSync } from "node:fs";

export class Owners {
  private readonly byFile = new Map<string, string>();

  /** `user:group`; root's unless somebody said otherwise. Follows a file that is renamed. */
  of(path: string): string {
    return this.byFile.get(identity(lstatSync(path, { bigint: true }))) ?? "root:root";
  }

  set(path: string, owner: string): void {
    this.byFile.set(identity(lstatSync(path, { bigint: true })), owner);
  }
}

function identity({ dev, ino, birthtimeNs }: BigIntStats): string {
  return `${dev}/${ino}/${birthtimeNs}`;
}
