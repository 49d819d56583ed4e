/** A machine put together by hand, with nothing of EMQX on it: its disk, its clock, its units, and what a test gives it. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Clock } from "../../machine/bash/clock";
import { Disks } from "../../machine/bash/disks";
import { Disturbances } from "../../machine/bash/outside";
import { Root } from "../../machine/bash/root";
import { Runs, type RunResult } from "../../machine/bash/runs";
import type { Answer, Call } from "../../machine/bash/call";
import { programs, standIns } from "../../machine/bash/standIns";
import type { System } from "../../machine/bash/system";
import { Daemon, Units } from "../../machine/bash/units";
import { TestRole } from "../role";

const folderOf = (prefix: string) => mkdtempSync(join(realpathSync(tmpdir()), prefix));

/** The commands of all machines of a test file: links, which take longer to make than a boot. */
const tools = folderOf("emqx-tools-");
afterAll(() => rmSync(tools, { recursive: true }));

export class TestSystem {
  readonly folder = folderOf("emqx-system-");
  readonly root = new Root(join(this.folder, "root"), tools);
  readonly clock: Clock;
  readonly runs: Runs;
  private readonly unitRuns: Runs;
  readonly units: Units;
  readonly disks: Disks;
  readonly disturbances = new Disturbances();
  readonly said: string[] = [];
  readonly role = new TestRole();
  readonly parameters = this.role.parameters;
  readonly formatted = new Set<string>();
  /** Attached volumes. */
  volumes = [{ device: "/dev/sdf", volumeId: "vol-1" }];
  timeOfDay = new Date("2026-01-01T05:59:00Z");
  protected readonly system: System;

  /** Time of scripts and of units by 1: those of a test of scripts leave it alone while they take it quickly. */
  constructor(factor = 0.01, unitFactor?: number, facts: object = {}) {
    this.root.install(Object.keys(programs));
    this.clock = new Clock(factor, this.root.at("/proc/uptime"), () => undefined, 0);
    const unitClock =
      unitFactor === undefined
        ? this.clock
        : new Clock(unitFactor, this.root.at("/proc/units"), () => undefined, 0);
    const present = () =>
      ({ architecture: "arm64", privateIp: "10.0.0.1", volumes: this.volumes, ...facts }) as ReturnType<
        System["facts"]
      >;
    this.disks = new Disks(this.root, {
      facts: present,
      isFormatted: (volumeId) => this.formatted.has(volumeId),
      format: (volumeId) => void this.formatted.add(volumeId),
      folderOf: (volumeId) => {
        mkdirSync(join(this.folder, volumeId), { recursive: true });
        return join(this.folder, volumeId);
      },
    });
    this.disks.refresh();
    const system = {
      instanceId: "i-1",
      address: "127.0.0.1",
      root: this.root,
      clock: this.clock,
      disks: this.disks,
      role: this.role,
      facts: present,
      timeOfDay: () => this.timeOfDay,
      egress: (host: string) =>
        host.includes("nowhere") ? { allowed: false, reason: "no route" } : { allowed: true },
      dial: async () => false,
      rules: new Map(),
      emqx: () => undefined,
    } as unknown as System;
    this.system = system;
    this.runs = new Runs(this.root, (call) => this.answer(call, system));
    this.unitRuns =
      unitFactor === undefined
        ? this.runs
        : new Runs(this.root, (call) => this.answer(call, { ...system, clock: unitClock }));
    this.units = new Units({
      root: this.root,
      clock: unitClock,
      disks: this.disks,
      runs: this.unitRuns,
      timeOfDay: () => this.timeOfDay,
      daemon: (program) => this.daemon(program),
      ran: () => undefined,
      say: (line) => void this.said.push(line),
    });
    system.units = this.units;
  }

  /** What of a unit is not bash. */
  protected daemon(_program: string): Daemon | undefined {
    return undefined;
  }

  protected answer(call: Call, system: System): Promise<Answer> {
    return this.disturbances.answer("i-1", this.clock, call, async () =>
      standIns[call.program]!(call, system),
    );
  }

  /** Runs a script; its lines come with the exit code. */
  async bash(script: string): Promise<RunResult> {
    this.root.write("/script", script, 0o755);
    return this.runs.start(["/script"], () => undefined).done;
  }

  unit(name: string, text: string): void {
    this.root.write(`/etc/systemd/system/${name}`, text);
    this.units.reload();
  }

  async dispose(): Promise<void> {
    this.units.cutOff();
    this.runs.kill();
    this.unitRuns.kill();
    await Promise.all([this.runs.ended(), this.unitRuns.ended()]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
