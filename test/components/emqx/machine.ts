import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { operations, operationsParameterText } from "../../../components/emqx/operations";

export const secrets = {
  cookie: "Cookie0123456789abcdefghijklmnopqrstuvwxyz",
  dashboardPassword: "Dashboard-Secret-1",
  mqttPassword: "Mqtt-Secret-1",
  licenseKey: "MjIwMTAxLicence.MEUCIQSecret",
};

const commands =
  "sleep blkid wipefs mkfs.xfs mountpoint ebsnvme-id systemctl rpm dnf curl aws emqx timeout chown find sysctl " +
  "systemd-tmpfiles xfs_growfs xfs_db runuser amazon-cloudwatch-agent-ctl";

export interface Run {
  code: number | null;
  console: string;
  /** Every call of a command outside the shell in this run, with its arguments. */
  calls: string[];
}

/** A folder that plays the instance: it has the files of the user data, and fake commands around them. */
export class Machine {
  private readonly fake: string;
  private readonly package = "the package";

  private constructor(
    readonly root: string,
    private readonly prefix: string,
  ) {
    this.fake = join(root, "fake");
  }

  static of(userData: string, prefix: string): Machine {
    const machine = new Machine(mkdtempSync(join(tmpdir(), "emqx-node-")), prefix);
    machine.furnish(userData);
    return machine;
  }

  /** Another one in the same state: quicker than another boot. */
  copy(): Machine {
    const root = mkdtempSync(join(tmpdir(), "emqx-node-"));
    cpSync(this.root, root, { recursive: true, preserveTimestamps: true });
    return new Machine(root, this.prefix);
  }

  private furnish(userData: string): void {
    for (const folder of ["dev", "run", "proc", "etc/emqx", "etc/systemd/system", "bin"])
      mkdirSync(join(this.root, folder), { recursive: true });
    this.write("etc/fstab", "UUID=root / xfs defaults 0 0\nUUID=old /var/lib/emqx xfs defaults 0 0\n");
    const { write_files: files } = parse(userData) as {
      write_files: { path: string; permissions?: string; content: string }[];
    };
    for (const { path, permissions, content } of files) {
      this.write(path, content);
      if (permissions) chmodSync(join(this.root, path), parseInt(permissions, 8));
    }
    for (const command of commands.split(" ")) {
      const path = join(this.root, "bin", command);
      copyFileSync(join(__dirname, "fakeCommands.sh"), path);
      chmodSync(path, 0o755);
    }
    this.write("proc/uptime", "100.00 0.00\n");
    this.state("package", this.package);
    this.state("published-sum", createHash("sha256").update(this.package).digest("hex"));
    this.state("device", "sdf");
    this.volume("blank");
    this.state("emqx-runs", "");
    this.state("reachable", "192.168.0.10/6369\n192.168.0.11/6369\n");
    this.state(
      "cluster",
      JSON.stringify(
        { stopped_nodes: [], running_nodes: ["emqx@192.168.0.10", "emqx@192.168.0.11"] },
        null,
        1,
      ),
    );
    this.parameter("cookie", secrets.cookie);
    this.parameter("dashboard-password", secrets.dashboardPassword);
    this.parameter("mqtt-password", secrets.mqttPassword);
    this.parameter("license-key", secrets.licenseKey);
    this.state("dashboard-password", secrets.dashboardPassword);
    this.parameter("load-balancers", "emqx-lb");
    this.parameter("nodes/0/ready", "never");
    this.parameter("nodes/0/applied", "never");
    this.members(["192.168.0.10", "192.168.0.11"], 4);
    this.operations(operations);
  }

  /** An attached volume that holds this. */
  volume(content: "blank" | "xfs" | "ext4" | "signature" | "ambivalent" | "partitions"): void {
    this.state("volume", content);
    this.write(`dev/${this.read("fake/device").trim()}`, "");
  }

  detach(): void {
    rmSync(join(this.root, "dev", this.read("fake/device").trim()), { force: true });
  }

  state(name: string, content: string | undefined): void {
    if (content === undefined) rmSync(join(this.fake, name), { force: true });
    else this.write(`fake/${name}`, content);
  }

  parameter(name: string, value: string | undefined): void {
    this.state(`parameters${this.prefix}/${name}`, value === undefined ? undefined : `${value}\n`);
  }

  /** A new version of a parameter. */
  change(name: string, value: string): void {
    const version = `parameters${this.prefix}/${name}.version`;
    this.state(version, String(1 + (this.has(`fake/${version}`) ? Number(this.read(`fake/${version}`)) : 1)));
    this.parameter(name, value);
  }

  /** The nodes of the deployment from now on. */
  members(addresses: string[], drainSeconds: number): void {
    this.change("cluster", `MEMBERS='${addresses.join(" ")}'\nDRAIN_SECONDS='${drainSeconds}'`);
  }

  /** The operations from now on. */
  operations(texts: Record<string, string>): void {
    for (const [name, script] of Object.entries(texts))
      this.parameter(`operations/${name}`, script.trimEnd());
    this.change("operations/list", operationsParameterText(texts).trimEnd());
  }

  /** The machine's time, in seconds. */
  uptime(): number {
    return parseFloat(this.read("proc/uptime"));
  }

  /** The calls of the last run, as faults name them. */
  sites(): string[] {
    return this.read("fake/sites").trim().split("\n");
  }

  /** The first call of the last run that looks like this. */
  site(pattern: RegExp): string {
    const found = this.sites().find((site) => pattern.test(site));
    if (found === undefined) throw new Error(`no call ${String(pattern)}`);
    return found;
  }

  readParameter(name: string): string {
    return this.read(`fake/parameters${this.prefix}/${name}`).trim();
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), "utf8");
  }

  write(path: string, content: string): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  mode(path: string): string {
    return (statSync(join(this.root, path)).mode & 0o777).toString(8);
  }

  /** Every file outside the fakes with content, mode and the time it was last written. */
  files(): Record<string, string> {
    const found: Record<string, string> = {};
    for (const entry of readdirSync(this.root, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || path.startsWith(this.fake)) continue;
      // What a reboot forgets.
      if (path.startsWith(join(this.root, "run")) || path.startsWith(join(this.root, "proc"))) continue;
      const time = statSync(path).mtimeMs;
      found[path] = `${statSync(path).mode.toString(8)} ${time} ${readFileSync(path, "utf8")}`;
    }
    return found;
  }

  boot(): Promise<Run> {
    return this.run([]);
  }

  /** Runs an operation, as the timers, systemd and people do. */
  operate(name: string, ...args: string[]): Promise<Run> {
    return this.run([name, ...args]);
  }

  private async run(args: string[]): Promise<Run> {
    for (const list of ["calls", "sites", "limits"]) this.state(list, "");
    const script = join(this.root, "var/lib/cloud/scripts/per-boot/emqx-node");
    // A write that finds no room is to fail, not to kill.
    const start = `echo $$ >"$FAKE/pid"; trap '' XFSZ; exec "$0" "$@"`;
    const child = spawn("bash", ["-c", start, script, ...args], {
      detached: true,
      env: {
        PATH: `${join(this.root, "bin")}:/usr/bin:/bin`,
        EMQX_NODE_ROOT: this.root,
        FAKE: this.fake,
        TMPDIR: this.root,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let console = "";
    child.stdout.on("data", (chunk: Buffer) => (console += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (console += chunk.toString()));
    const code = await new Promise<number | null>((resolve, reject) =>
      child.on("close", resolve).on("error", reject),
    );
    return { code, console, calls: this.read("fake/calls").trim().split("\n") };
  }

  destroy(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
