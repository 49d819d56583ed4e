/** A machine's own disk: its files below one folder, its commands in /bin, its users in /etc/passwd. */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { hostTools } from "./hostTools";
import { Owners } from "./owners";
import { RootFiles } from "./rootFiles";

const folders = [
  "bin",
  "dev",
  "proc",
  "run",
  "tmp",
  "etc/systemd/system",
  "usr/lib/systemd/system",
  "var/lib/rpm",
  "var/lib/systemd/timers",
];

/** Commands that only look at their own arguments and go on to another: part of the stand-in itself. */
const prefixes = ["timeout", "runuser", "env", "bash"];

export class Root {
  readonly owners = new Owners();
  readonly files: RootFiles;

  constructor(
    readonly path: string,
    /** Folder of the commands that all machines have alike. */
    readonly tools = join(path, "bin"),
  ) {
    this.files = new RootFiles(path, this.owners);
  }

  /** The path here of a path there. */
  at(path: string): string {
    return path === this.path || path.startsWith(`${this.path}/`) ? path : join(this.path, path);
  }

  /** The path there of a path here. */
  inside(path: string): string {
    return path.startsWith(this.path) ? path.slice(this.path.length) || "/" : path;
  }

  /** A disk as the image has it: nothing of EMQX, these commands. */
  install(commands: Iterable<string>): void {
    for (const folder of folders) {
      mkdirSync(join(this.path, folder), { recursive: true });
    }
    this.write("/etc/fstab", "UUID=6a1f4b4e-8c1d-4d53-9d0f-2f7c1c6f2a10 / xfs defaults,noatime 1 1\n");
    this.write("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/usr/sbin/nologin\n");
    this.write("/etc/group", "root:x:0:\nnobody:x:65534:\n");
    this.write("/bin/.prelude", readFileSync(join(__dirname, "prelude.sh"), "utf8"));
    const standIn = join(this.tools, ".stand-in");
    if (existsSync(standIn)) return;
    mkdirSync(this.tools, { recursive: true });
    const text = readFileSync(join(__dirname, "stand-in"), "utf8");
    writeFileSync(standIn, text.replace(/^#!\S+/, `#!${hostTools().get("bash")}`), { mode: 0o755 });
    const own = [...commands, ...prefixes].map((name) => [name, standIn] as const);
    for (const [name, path] of new Map([...hostTools(), ...own])) {
      symlinkSync(path, join(this.tools, name));
    }
  }

  /** A command that the region answers. */
  addCommand(path: string): void {
    const link = this.at(path);
    mkdirSync(dirname(link), { recursive: true });
    if (!existsSync(link)) {
      symlinkSync(join(this.tools, ".stand-in"), link);
    }
  }

  write(path: string, content: string, mode = 0o644): void {
    const file = this.at(path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    chmodSync(file, mode);
  }

  /** Another content in a file that is there, whose owner and mode stay. */
  replace(path: string, content: Buffer): void {
    writeFileSync(this.at(path), content);
  }

  /** What a user may read of it; undefined for none or for nobody's eyes. */
  readBytes(path: string, user: string): Buffer | undefined {
    return this.files.as(user).get(this.inside(this.at(path))) ? readFileSync(this.at(path)) : undefined;
  }

  read(path: string): string | undefined {
    return existsSync(this.at(path)) ? readFileSync(this.at(path), "utf8") : undefined;
  }

  /** Empties what lives in memory: at every boot. */
  boot(): void {
    for (const folder of ["run", "tmp", "dev"]) {
      rmSync(join(this.path, folder), { recursive: true, force: true });
      mkdirSync(join(this.path, folder));
    }
  }

  hasUser(name: string): boolean {
    return this.named("/etc/passwd", name);
  }

  hasGroup(name: string): boolean {
    return this.named("/etc/group", name);
  }

  addUser(name: string): void {
    if (!this.hasUser(name)) {
      this.write("/etc/passwd", `${this.read("/etc/passwd")}${name}:x:991:991::/var/lib/${name}:/bin/bash\n`);
      this.write("/etc/group", `${this.read("/etc/group")}${name}:x:991:\n`);
    }
  }

  private named(file: string, name: string): boolean {
    return (this.read(file) ?? "").split("\n").some((line) => line.startsWith(`${name}:`));
  }
}
