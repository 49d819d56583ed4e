/** Block devices of a machine, what is on them, and where they are mounted. */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, rmSync, rmdirSync, symlinkSync, unlinkSync } from "node:fs";
import { basename } from "node:path";
import type { InstanceFacts } from "../../dataplane/regionView";
import type { Root } from "./root";

interface VolumeRoom {
  /** The instance as the region describes it now. */
  facts(): InstanceFacts;
  isFormatted(volumeId: string): boolean;
  format(volumeId: string): void;
  /** Folder with the volume's files. */
  folderOf(volumeId: string): string;
}

export class Disks {
  /** Volumes by mount point. */
  private readonly mounts = new Map<string, string>();

  constructor(
    private readonly root: Root,
    private readonly room: VolumeRoom,
  ) {}

  /** Makes /dev what is attached at the moment. */
  refresh(): void {
    const attached = this.room.facts().volumes.map(({ device }) => basename(device));
    for (const name of readdirSync(this.root.at("/dev"))) {
      if (!attached.includes(name)) {
        rmSync(this.root.at(`/dev/${name}`));
      }
    }
    attached.forEach((name) => this.root.write(`/dev/${name}`, ""));
  }

  /** The volume attached under a device's path. */
  volumeAt(device: string): string | undefined {
    const path = this.root.inside(device);
    return this.room.facts().volumes.find((volume) => `/dev/${basename(volume.device)}` === path)?.volumeId;
  }

  isFormatted(volumeId: string): boolean {
    return this.room.isFormatted(volumeId);
  }

  format(volumeId: string): void {
    this.room.format(volumeId);
  }

  uuidOf(volumeId: string): string {
    const hex = createHash("sha256").update(volumeId).digest("hex");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
      "-",
    );
  }

  /** The attached volume with this file system. */
  volumeWith(uuid: string): string | undefined {
    return this.room
      .facts()
      .volumes.map(({ volumeId }) => volumeId)
      .find((volumeId) => this.uuidOf(volumeId) === uuid && this.room.isFormatted(volumeId));
  }

  mountedAt(path: string): string | undefined {
    return this.mounts.get(this.root.inside(path));
  }

  /** The mount point becomes a link to the volume's folder. */
  mount(volumeId: string, path: string): void {
    const at = this.root.at(path);
    this.unmount(path);
    mkdirSync(at, { recursive: true });
    rmdirSync(at);
    symlinkSync(this.room.folderOf(volumeId), at);
    this.mounts.set(path, volumeId);
  }

  /** Nothing is mounted any more: at power-off. */
  unmountAll(): void {
    [...this.mounts.keys()].forEach((path) => this.unmount(path));
  }

  private unmount(path: string): void {
    const at = this.root.at(path);
    if (lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink()) {
      unlinkSync(at);
      mkdirSync(at);
    }
    this.mounts.delete(path);
  }
}
