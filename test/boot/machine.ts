/** A machine under QEMU, of the image that test/boot/image makes: its power, its disks, its serial console. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runCloudInit } from "@emqx-aws/simulator/machine/cloudConfig";
import { CallServer } from "@emqx-aws/simulator/machine/bash/callServer";
import { aws } from "@emqx-aws/simulator/machine/bash/standIns/aws";
import type { System } from "@emqx-aws/simulator/machine/bash/system";
import { openOutside, type Outside } from "../node/outside";

const image = join(__dirname, "../../.cache/boot");

export const sh = (command: string): string =>
  execFileSync("bash", ["-c", command], { encoding: "utf8" }).trim();

let hasFailed = false;

/** A test that is left out where one before it has failed: a machine has one life. */
export function step(name: string, body: () => unknown): void {
  test(name, async () => {
    if (hasFailed) throw new Error("left out: a step before it has failed");
    hasFailed = true;
    await body();
    hasFailed = false;
  });
}

export class Machine {
  private boots = 0;
  private qemu: ChildProcess | undefined;
  private started = Date.now();

  private constructor(
    readonly outside: Outside,
    private readonly folder: string,
  ) {}

  /** With a new root disk and a blank data volume; `cloudInit` says whether its files come by cloud-init or lie there. */
  static async create({ cloudInit = false } = {}): Promise<Machine> {
    const folder = mkdtempSync(join(process.env["BOOT_FOLDER"] ?? tmpdir(), "emqx-boot-"));
    const outside = await openOutside(folder, "127.0.0.1");
    const machine = new Machine(outside, folder);
    const calls = await CallServer.get();
    const system = { role: outside.calls, egress: () => ({ allowed: true }) } as unknown as System;
    calls.serve("node", async (call) => aws(call, system));
    sh(
      `cp --sparse=always ${image}/root.raw ${machine.disk("root")}; truncate -s 2G ${machine.disk("data")}`,
    );
    machine.within("root", (at) => {
      const write = (path: string, content: string, mode = 0o644) => {
        mkdirSync(dirname(at + path), { recursive: true });
        writeFileSync(at + path, content, { mode });
      };
      write("/etc/hosts", `127.0.0.1 localhost node\n${machine.gateway} ${outside.hosts.join(" ")}\n`);
      write("/etc/region", `gateway=${machine.gateway} port=${calls.port}\n`);
      appendFileSync(`${at}/etc/ssl/certs/ca-certificates.crt`, outside.authority);
      write("/var/lib/cloud/seed/nocloud/meta-data", `instance-id: ${outside.instanceId}\n`);
      write("/var/lib/cloud/seed/nocloud/user-data", outside.userData);
      if (cloudInit) return;
      write("/etc/cloud/cloud-init.disabled", "");
      for (const [path, { content, mode }] of runCloudInit(outside.userData).files)
        write(path, content, mode);
    });
    return machine;
  }

  /** Switches the power on. */
  start({ withVolume = true } = {}): void {
    const { privateIp } = this.outside;
    rmSync(this.socket, { force: true });
    this.boots++;
    this.started = Date.now();
    const network = privateIp.replace(/\d+$/, "0/24");
    const forwards = [1883, 18083].map((port) => `,hostfwd=tcp:127.0.0.1:${port}-:${port}`).join("");
    // What the machine has given to its disk outlives qemu without flushes, too
    const disk = (name: string, bus: string) => [
      ...["-drive", `file=${this.disk(name)},format=raw,cache=unsafe,if=none,id=${name}`],
      ...["-device", `nvme,drive=${name},serial=vol0${name},bus=${bus}`],
    ];
    const boot =
      "root=LABEL=root rootfstype=xfs console=ttyS0 quiet systemd.show_status=0 mitigations=off panic=-1";
    const words = [
      ...["-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "Nehalem", "-smp", "2", "-m", "1400"],
      ...["-display", "none", "-monitor", "none", "-no-reboot"],
      ...["-serial", `file:${this.log}`, "-qmp", `unix:${this.socket},server=on,wait=off`],
      ...["-kernel", join(image, "vmlinuz"), "-initrd", join(image, "initrd"), "-append", boot],
      ...["-netdev", `user,id=n,net=${network},dhcpstart=${privateIp}${forwards}`],
      ...["-device", "virtio-net-pci,netdev=n"],
      ...["-device", "pcie-root-port,id=slot1,slot=1", "-device", "pcie-root-port,id=slot2,slot=2"],
      ...disk("root", "slot1"),
      ...(withVolume ? disk("data", "slot2") : []),
    ];
    this.qemu = spawn("qemu-system-x86_64", words, { stdio: ["ignore", "inherit", "inherit"] });
  }

  /** What the console says; fails where the power goes before, or where it takes too long. */
  async hears(pattern: RegExp, seconds = 900): Promise<string> {
    for (const end = Date.now() + seconds * 1000; ; await sleep(500)) {
      const found = pattern.exec(this.console());
      if (found !== null) {
        this.tell(found[0]);
        return found[0];
      }
      if (Date.now() > end || this.qemu?.exitCode !== null) {
        const how = this.qemu?.exitCode === null ? `within ${seconds} s` : "before the machine went off";
        throw new Error(`no ${String(pattern)} ${how}: ${this.tail()}`);
      }
    }
  }

  /** EMQX serves, and AWS was told so by this instance. */
  async isReady(): Promise<void> {
    const heard = await this.hears(/node 0 is ready|NODE 0 FAILED.*/);
    if (heard !== "node 0 is ready") throw new Error(`${heard}: ${this.tail()}`);
    const { outside } = this;
    expect(outside.parameter("nodes/0/ready")).toBe(outside.instanceId);
  }

  /** All that was said on the serial console since power was switched on. */
  console(): string {
    return existsSync(this.log) ? readFileSync(this.log, "utf8").replaceAll("\r", "") : "";
  }

  /** As EC2 stops an instance, which cuts the power about four minutes later. */
  async pressPowerButton(): Promise<void> {
    this.tell("power button");
    await this.ask("system_powerdown");
    for (const end = Date.now() + 240_000; this.qemu?.exitCode === null; await sleep(200))
      if (Date.now() > end) throw new Error(`still on after 240 s: ${this.tail()}`);
    this.tell("is off");
  }

  /** The power goes from one moment to the next. */
  async cutPower(): Promise<void> {
    const { qemu } = this;
    if (qemu?.exitCode !== null) return;
    this.tell("loses its power");
    const gone = new Promise((resolve) => qemu.on("exit", resolve));
    qemu.kill("SIGKILL");
    await gone;
    this.qemu = undefined;
  }

  /** The file system's UUID, once the machine is off; fails where it is not clean. */
  cleanVolume(): string {
    expect(sh(`xfs_repair -n ${this.disk("data")} 2>&1`)).not.toContain("ALERT");
    return sh(`blkid -p -o value -s UUID ${this.disk("data")}`);
  }

  async attachVolume(): Promise<void> {
    const file = { driver: "file", filename: this.disk("data") };
    await this.ask("blockdev-add", { driver: "raw", "node-name": "data", file });
    await this.ask("device_add", { driver: "nvme", drive: "data", serial: "vol0data", bus: "slot2" });
  }

  /** Looks at, or changes, a disk of a machine that is off. */
  within<T>(disk: "root" | "data", look: (at: string) => T): T {
    const at = join(this.folder, `${disk}.mounted`);
    sh(`mkdir -p ${at}; mount -o loop,nouuid ${this.disk(disk)} ${at}`);
    try {
      return look(at);
    } finally {
      sh(`umount ${at}`);
    }
  }

  /** The journal's lines of the last boot that fit, without date. */
  journal(pattern: string): string {
    return this.within("root", (at) =>
      sh(`journalctl -D ${at}/var/log/journal -b 0 --no-pager -o cat | grep -E '${pattern}' || true`),
    );
  }

  tell(words: string): void {
    process.stderr.write(
      `boot ${this.boots}, ${Math.round((Date.now() - this.started) / 1000)} s: ${words}\n`,
    );
  }

  async dispose(): Promise<void> {
    await this.cutPower();
    await this.outside.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private tail(): string {
    return `the serial console ends with\n${this.console().slice(-3000)}`;
  }
  private get gateway(): string {
    return this.outside.privateIp.replace(/\d+$/, "2");
  }
  private disk(name: string): string {
    return join(this.folder, `${name}.raw`);
  }
  private get log(): string {
    return join(this.folder, `console${this.boots}`);
  }
  private get socket(): string {
    return join(this.folder, "qmp");
  }

  /** QMP: a line of JSON each way, and events in between. */
  private async ask(command: string, args: object = {}): Promise<void> {
    const socket = createConnection(this.socket);
    const asked = [{ execute: "qmp_capabilities" }, { execute: command, arguments: args }];
    socket.write(asked.map((each) => `${JSON.stringify(each)}\n`).join(""));
    let text = "";
    for await (const chunk of socket) {
      text += String(chunk);
      const lines = text.split("\n").slice(0, -1);
      const answers = lines.map((line) => JSON.parse(line) as { error?: { desc: string }; return?: object });
      const error = answers.find((answer) => answer.error !== undefined)?.error;
      if (error !== undefined) throw new Error(`${command}: ${error.desc}`);
      if (answers.filter((answer) => answer.return !== undefined).length === 2) return;
    }
  }
}
