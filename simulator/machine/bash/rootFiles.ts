/** The files of a machine's disk, by their paths there. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { FileSystem, MachineFile } from "../fileSystem";
import type { Owners } from "./owners";

export class RootFiles implements FileSystem {
  constructor(
    private readonly root: string,
    private readonly owners: Owners,
    /** Whose eyes these are: what this user may not read has no content. Root reads everything. */
    private readonly user = "root",
  ) {}

  /** The same files as another user sees them. */
  as(user: string): RootFiles {
    return new RootFiles(this.root, this.owners, user);
  }

  get(path: string): MachineFile | undefined {
    const file = join(this.root, path);
    if (!existsSync(file) || !statSync(file).isFile()) {
      return undefined;
    }
    const found = { mode: statSync(file).mode & 0o7777, owner: this.owners.of(file) };
    return this.mayRead(found) ? { content: readFileSync(file, "utf8"), ...found } : undefined;
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  set(path: string, { content, mode, owner }: MachineFile): this {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    chmodSync(file, mode);
    this.owners.set(file, owner);
    return this;
  }

  delete(path: string): boolean {
    const present = existsSync(join(this.root, path));
    rmSync(join(this.root, path), { force: true });
    return present;
  }

  /** What is below /etc and /usr/lib. */
  *[Symbol.iterator](): IterableIterator<[string, MachineFile]> {
    for (const folder of ["/etc", "/usr/lib"]) {
      const at = join(this.root, folder);
      for (const name of existsSync(at) ? readdirSync(at, { recursive: true, encoding: "utf8" }) : []) {
        const path = join(folder, name);
        const file = this.get(path);
        if (file !== undefined) {
          yield [path, file];
        }
      }
    }
  }

  private mayRead({ mode, owner }: Omit<MachineFile, "content">): boolean {
    const [user, group] = owner.split(":");
    const bit = this.user === user ? 0o400 : this.user === group ? 0o040 : 0o004;
    return this.user === "root" || (mode & bit) !== 0;
  }
}
