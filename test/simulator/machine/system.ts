/** A machine put together by hand, with nothing of EMQX on it: its disk, its clock, its units, and what a test gives it. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Clock } from "../../../simulator/machine/bash/clock";
import { Disks } from "../../../simulator/machine/bash/disks";
import { Disturbances } from "../../../simulator/machine/bash/outside";
import { Root } from "../../../simulator/machine/bash/root";
import { Runs } from "../../../simulator/machine/bash/runs";
import { programs, standIns } from "../../../simulator/machine/bash/standIns";
import type { System } from "../../../simulator/machine/bash/system";
import { Units } from "../../../simulator/machine/bash/units";

export class TestSystem {
  readonly root: Root;
  readonly clock: Clock;
  readonly runs: Runs;
  readonly units: Units;
  readonly disturbances = new Disturbances();
  readonly said: string[] = [];
  readonly parameters = new Map<string, string>();
  timeOfDay = new Date("2026-01-01T05:59:00Z");
  private readonly folder = mkdtempSync(join(realpathSync(tmpdir()), "emqx-system-"));

  constructor(factor = 0.01) {
    this.root = new Root(join(this.folder, "root"));
    this.root.install(Object.keys(programs));
    const formatted = new Set<string>();
    const facts = () => ({
      architecture: "arm64",
      privateIp: "10.0.0.1",
      volumes: [{ device: "/dev/sdf", volumeId: "vol-1" }],
    });
    this.clock = new Clock(factor, this.root.at("/proc/uptime"), () => undefined);
    const disks = new Disks(this.root, {
      facts: facts as unknown as System["facts"],
      isFormatted: (volumeId) => formatted.has(volumeId),
      format: (volumeId) => void formatted.add(volumeId),
      folderOf: (volumeId) => join(this.folder, volumeId),
    });
    disks.refresh();
    const system = {
      instanceId: "i-1",
      address: "127.0.0.1",
      root: this.root,
      clock: this.clock,
      disks,
      facts,
      timeOfDay: () => this.timeOfDay,
      egress: (host: string) =>
        host.includes("nowhere") ? { allowed: false, reason: "no route" } : { allowed: true },
      emqx: () => undefined,
      role: {
        getParameter: async (name: string) => {
          const value = this.parameters.get(name);
          if (value === undefined) throw Object.assign(new Error(name), { code: "ParameterNotFound" });
          return value;
        },
      },
    } as unknown as System;
    this.runs = new Runs(this.root, (call) =>
      this.disturbances.answer("i-1", this.clock, call, async () => standIns[call.program]!(call, system)),
    );
    this.units = new Units({
      root: this.root,
      clock: this.clock,
      disks,
      runs: this.runs,
      timeOfDay: () => this.timeOfDay,
      daemon: () => undefined,
      ran: () => undefined,
      say: (line) => void this.said.push(line),
    });
    system.units = this.units;
  }

  /** Runs a script; its lines come with the exit code. */
  async bash(script: string): Promise<{ code: number; lines: string[] }> {
    this.root.write("/script", script, 0o755);
    return this.runs.start(["/script"], () => undefined).done;
  }

  unit(name: string, text: string): void {
    this.root.write(`/etc/systemd/system/${name}`, text);
    this.units.reload();
  }

  dispose(): void {
    this.units.cutOff();
    this.runs.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
