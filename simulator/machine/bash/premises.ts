/** The folder of this process for what is on its machines' disks and data volumes. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive } from "../../processes";

const prefix = "emqx-region-";

export class Premises {
  private folder: string | undefined;

  /** The root of an instance's own disk, which is as old as the instance; `isNew` when there was nothing yet. */
  disk(instanceId: string): { path: string; isNew: boolean } {
    return this.place("disks", instanceId);
  }

  /** Commands of all machines. */
  tools(): string {
    return this.place("tools", "bin").path;
  }

  /** A volume's file system. */
  volume(volumeId: string): string {
    return this.place("volumes", volumeId).path;
  }

  discard(instanceId: string): void {
    if (this.folder !== undefined) {
      rmSync(join(this.folder, "disks", instanceId), { recursive: true, force: true });
    }
  }

  dispose(): void {
    if (this.folder !== undefined) {
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
      this.folder = undefined;
    }
  }

  private place(kind: string, id: string): { path: string; isNew: boolean } {
    this.folder ??= makeFolder();
    const path = join(this.folder, kind, id);
    const isNew = !existsSync(path);
    mkdirSync(path, { recursive: true });
    return { path, isNew };
  }
}

/** Says by its name whose it is, so that what a killed process left is known and removed. */
function makeFolder(): string {
  const parent = realpathSync(tmpdir());
  for (const name of readdirSync(parent)) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length).split("-")[0]) : NaN;
    if (pid > 0 && !isAlive(pid)) {
      rmSync(join(parent, name), { recursive: true, force: true });
    }
  }
  return mkdtempSync(join(parent, `${prefix}${process.pid}-`));
}
