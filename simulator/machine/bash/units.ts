/**
 * The part of systemd that a node uses, driven by the machine's own unit files: services, timers, mounts of fstab. A unit that
 * starts after another one stops before it.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import type { Clock } from "./clock";
import { hasElapsed } from "./calendar";
import type { Disks } from "./disks";
import type { Root } from "./root";
import type { Run, Runs } from "./runs";
import { findUnit, spanSeconds, UnitFile } from "./unitFile";

/** What of a unit is not bash: EMQX itself, which is the region's broker. */
export interface Daemon {
  /** Resolves with what ends it by itself; rejects when it cannot be started at all. */
  start(): Promise<{ ended: Promise<void> }>;
  stop(): Promise<void>;
}

interface UnitsSurroundings {
  root: Root;
  clock: Clock;
  disks: Disks;
  runs: Runs;
  timeOfDay(): Date;
  /** The daemon that a program stands for. */
  daemon(program: string): Daemon | undefined;
  /** Called with every command that a unit has run to its end. */
  ran(words: string[], code: number): void;
  say(line: string): void;
}

interface Active {
  /** In the order in which they were started. */
  state: "activating" | "active" | "deactivating";
  off: AbortController;
  run?: Run;
  /** Resolves when its start has come to an end. */
  started: Promise<void>;
}

/** A job that failed, in systemctl's words. */
export class JobFailed extends Error {
  constructor(
    message: string,
    readonly code = 1,
  ) {
    super(message);
  }
}

const wants = "/etc/systemd/system/multi-user.target.wants";
const defaultStopSeconds = 90;
/** How often a timer looks at the region's time of day. */
const calendarSeconds = 60;

export class Units {
  private loaded = new Map<string, UnitFile>();
  private readonly active = new Map<string, Active>();
  private isOff = false;

  constructor(private readonly around: UnitsSurroundings) {}

  /** `daemon-reload`: what is in the files counts from now on. */
  reload(): void {
    const { root } = this.around;
    const names = ["/etc/systemd/system", "/usr/lib/systemd/system"].flatMap((folder) =>
      existsSync(root.at(folder))
        ? readdirSync(root.at(folder)).filter((name) => /\.(service|timer)$/.test(name))
        : [],
    );
    const found = names.map((name) => [name, findUnit(root, name)] as const);
    this.loaded = new Map(found.flatMap(([name, unit]) => (unit === undefined ? [] : [[name, unit]])));
    for (const unit of mountUnits(root.read("/etc/fstab") ?? "")) {
      this.loaded.set(unit.name, unit);
    }
  }

  has(name: string): boolean {
    return this.loaded.has(name) || this.active.has(name);
  }

  stateOf(name: string): "active" | "activating" | "deactivating" | "inactive" {
    return this.active.get(name)?.state ?? "inactive";
  }

  isEnabled(name: string): boolean {
    // The link's target is a path of the machine, which leads nowhere here.
    return lstatSync(this.around.root.at(`${wants}/${name}`), { throwIfNoEntry: false }) !== undefined;
  }

  /** A link on the disk, so that the next boot starts it. */
  enable(name: string): void {
    const unit = findUnit(this.around.root, name);
    if (unit === undefined) {
      throw new JobFailed(`Failed to enable unit: Unit file ${name} does not exist.`);
    }
    if (unit.words("Install.WantedBy").length > 0 && !this.isEnabled(name)) {
      mkdirSync(this.around.root.at(wants), { recursive: true });
      symlinkSync(`/etc/systemd/system/${name}`, this.around.root.at(`${wants}/${name}`));
    }
  }

  disable(name: string): void {
    if (findUnit(this.around.root, name) === undefined && !this.isEnabled(name)) {
      throw new JobFailed(`Failed to disable unit: Unit file ${name} does not exist.`);
    }
    rmSync(this.around.root.at(`${wants}/${name}`), { force: true });
  }

  /** What is enabled, and the mounts; does not wait for them. */
  boot(): void {
    this.reload();
    const { root } = this.around;
    const enabled = existsSync(root.at(wants)) ? readdirSync(root.at(wants)) : [];
    const mounts = [...this.loaded.keys()].filter((name) => name.endsWith(".mount"));
    for (const name of [...mounts, ...enabled]) {
      if (this.loaded.has(name)) {
        this.start(name).catch((error: Error) =>
          this.around.say(`systemd: ${name}: ${error.message.split("\n")[0]}`),
        );
      }
    }
  }

  /** Resolves when the unit has started; at once when it had. Rejects with a `JobFailed`. */
  async start(name: string): Promise<void> {
    const unit = this.loaded.get(name);
    if (unit === undefined) {
      throw new JobFailed(`Failed to start ${name}: Unit ${name} not found.`, 5);
    }
    const present = this.active.get(name);
    if (present !== undefined && present.state !== "deactivating") {
      return present.started;
    }
    if (this.isOff) {
      throw new JobFailed(`Failed to start ${name}: Transaction is destructive (the system is going down).`);
    }
    const active: Active = { state: "activating", off: new AbortController(), started: Promise.resolve() };
    this.active.set(name, active);
    active.started = this.startUnit(unit, active).then(
      () => {
        if (this.active.get(name) === active) active.state = "active";
      },
      (error: Error) => {
        if (this.active.get(name) === active) this.active.delete(name);
        throw error;
      },
    );
    return active.started;
  }

  async stop(name: string): Promise<void> {
    const active = this.active.get(name);
    if (active === undefined) {
      if (!this.loaded.has(name)) {
        throw new JobFailed(`Failed to stop ${name}: Unit ${name} not loaded.`, 5);
      }
      return;
    }
    active.off.abort();
    await this.stopUnit(name, active);
    if (this.active.get(name) === active) {
      this.active.delete(name);
    }
  }

  /** Stops everything, last started first; what runs is asked to end and then made to. */
  async shutDown(): Promise<void> {
    this.isOff = true;
    const names = [...this.active.keys()];
    // Timers start nothing any more; then what was started after others, and the others.
    const isTimer = (name: string) => name.endsWith(".timer");
    await Promise.all(names.filter(isTimer).map((name) => this.stop(name)));
    let left = names.filter((name) => !isTimer(name));
    while (left.length > 0) {
      const next = left.filter((name) => !left.some((other) => other !== name && this.isAfter(other, name)));
      const batch = next.length > 0 ? next : left;
      await Promise.all(batch.map((name) => this.stop(name)));
      left = left.filter((name) => !batch.includes(name));
    }
  }

  /** The power is gone: nothing is started any more, nobody is asked. */
  cutOff(): void {
    this.isOff = true;
    this.active.forEach(({ off }) => off.abort());
    this.active.clear();
  }

  /** Runs of services that go on at the moment have ended. */
  async idle(): Promise<void> {
    await Promise.allSettled(
      [...this.active.values()].flatMap(({ run }) => (run === undefined ? [] : [run.done])),
    );
  }

  private isAfter(name: string, other: string): boolean {
    const unit = this.loaded.get(name);
    return (
      unit !== undefined &&
      (unit.words("Unit.After").includes(other) ||
        unit.words("Unit.RequiresMountsFor").some((path) => mountName(path) === other))
    );
  }

  private startUnit(unit: UnitFile, active: Active): Promise<void> {
    if (unit.name.endsWith(".timer")) {
      this.runTimer(unit, active.off.signal);
      return Promise.resolve();
    }
    return unit.name.endsWith(".mount")
      ? this.mount(unit, active.off.signal)
      : this.startService(unit, active);
  }

  private async stopUnit(name: string, active: Active): Promise<void> {
    const unit = this.loaded.get(name);
    const hadStarted = active.state === "active";
    active.state = "deactivating";
    if (unit === undefined || !name.endsWith(".service")) {
      return;
    }
    const daemon = this.daemonOf(unit);
    if (daemon !== undefined) {
      await daemon.stop();
      this.around.say(`systemd: Stopped ${name}`);
      return;
    }
    const seconds = unit.seconds("Service.TimeoutStopSec") ?? defaultStopSeconds;
    if (active.run !== undefined) {
      await this.end(active.run, seconds);
    }
    for (const command of hadStarted ? unit.all("Service.ExecStop") : []) {
      await this.within(this.command(command, active), seconds, seconds);
    }
  }

  private async startService(unit: UnitFile, active: Active): Promise<void> {
    for (const path of unit.words("Unit.RequiresMountsFor")) {
      const mount = mountName(path);
      if (this.loaded.has(mount)) {
        await this.start(mount).catch(() => {
          throw new JobFailed(`A dependency job for ${unit.name} failed. See 'journalctl -xe' for details.`);
        });
      }
    }
    const daemon = this.daemonOf(unit);
    if (daemon !== undefined) {
      await this.startDaemon(unit, daemon, active);
      return;
    }
    if (unit.get("Service.Type") !== "oneshot") {
      const run = this.command(unit.get("Service.ExecStart") ?? "", active);
      void run.done.then(({ code }) => this.ended(unit, active, code));
      return;
    }
    const limit = unit.seconds("Service.TimeoutStartSec") ?? Infinity;
    const stopSeconds = unit.seconds("Service.TimeoutStopSec") ?? defaultStopSeconds;
    for (const command of [...unit.all("Service.ExecStartPre"), ...unit.all("Service.ExecStart")]) {
      const code = await this.within(this.command(command, active), limit, stopSeconds);
      if (code !== 0 && !unit.words("Service.SuccessExitStatus").includes(String(code))) {
        this.restartLater(unit);
        throw new JobFailed(
          `Job for ${unit.name} failed because ` +
            (code === undefined ? "a timeout was exceeded." : "the control process exited with error code.") +
            `\nSee "systemctl status ${unit.name}" and "journalctl -xeu ${unit.name}" for details.`,
        );
      }
    }
    if (unit.get("Service.RemainAfterExit") !== "yes" && this.active.get(unit.name) === active) {
      this.active.delete(unit.name);
    }
  }

  /** `Type=simple`: started when its process is there, whatever becomes of it; then again and again, if it says so. */
  private async startDaemon(unit: UnitFile, daemon: Daemon, active: Active): Promise<void> {
    const { ended } = await daemon.start();
    void ended.then(() => this.ended(unit, active, 1));
  }

  /** The process of a service has ended by itself. */
  private ended(unit: UnitFile, active: Active, code: number): void {
    if (active.off.signal.aborted || this.active.get(unit.name) !== active) {
      return;
    }
    this.active.delete(unit.name);
    this.restartLater(unit, code);
  }

  private restartLater(unit: UnitFile, code = 1): void {
    const restart = unit.get("Service.Restart");
    if (this.isOff || !(restart === "always" || (restart === "on-failure" && code !== 0))) {
      return;
    }
    const waiting: Active = { state: "activating", off: new AbortController(), started: Promise.resolve() };
    this.around.clock.sleep(unit.seconds("Service.RestartSec") ?? 0.1, waiting.off.signal).then(
      () => {
        if (this.active.get(unit.name) === waiting) this.active.delete(unit.name);
        if (!this.isOff && !this.active.has(unit.name)) {
          this.start(unit.name).catch((error: Error) =>
            this.around.say(`systemd: ${error.message.split("\n")[0]}`),
          );
        }
      },
      () => undefined,
    );
    // A stop meanwhile ends the wait; the job that failed is forgotten first.
    setImmediate(() => {
      if (!this.active.has(unit.name) && !this.isOff) this.active.set(unit.name, waiting);
    });
  }

  private async mount(unit: UnitFile, signal: AbortSignal): Promise<void> {
    const { disks, clock } = this.around;
    const uuid = unit.get("Mount.What")!.replace(/^UUID=/, "");
    const where = unit.get("Mount.Where")!;
    const end = clock.uptime + spanSeconds(unit.get("Mount.DeviceTimeout") ?? "90");
    for (;;) {
      disks.refresh();
      const volume = disks.volumeWith(uuid);
      if (volume !== undefined) {
        disks.mount(volume, where);
        return;
      }
      if (clock.uptime >= end) {
        throw new JobFailed(`A dependency job for ${unit.name} failed. See 'journalctl -xe' for details.`);
      }
      await clock.sleep(1, signal);
    }
  }

  private runTimer(unit: UnitFile, signal: AbortSignal): void {
    const service = unit.get("Timer.Unit") ?? unit.name.replace(/timer$/, "service");
    const elapse = () =>
      this.start(service).catch((error: Error) => {
        if (!signal.aborted) this.around.say(`systemd: ${unit.name}: ${error.message.split("\n")[0]}`);
      });
    const calendar = unit.get("Timer.OnCalendar");
    const first = unit.seconds("Timer.OnActiveSec") ?? unit.seconds("Timer.OnBootSec");
    const repeat = unit.seconds("Timer.OnUnitInactiveSec") ?? unit.seconds("Timer.OnUnitActiveSec");
    const loop = async () => {
      if (calendar !== undefined) {
        await this.followCalendar(unit, calendar, elapse, signal);
        return;
      }
      const { clock } = this.around;
      let seen = clock.changes;
      for (let wait = first ?? repeat; wait !== undefined; wait = repeat) {
        await clock.rest(wait, seen, signal);
        seen = clock.changes;
        await elapse();
      }
    };
    loop().catch((error: Error) => {
      if (!signal.aborted) this.around.say(`systemd: ${unit.name}: ${error.message}`);
    });
  }

  /** A persistent timer makes up at its start for what it missed since its stamp. */
  private async followCalendar(
    unit: UnitFile,
    calendar: string,
    elapse: () => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<void> {
    const { root, timeOfDay, clock } = this.around;
    const stamp = root.at(`/var/lib/systemd/timers/stamp-${unit.name}`);
    const isPersistent = unit.get("Timer.Persistent") === "true";
    const stored = isPersistent && existsSync(stamp) ? new Date(readFileSync(stamp, "utf8")) : timeOfDay();
    const note = (moment: Date) => {
      if (isPersistent) writeFileSync(stamp, moment.toISOString());
    };
    note(stored);
    for (let last = stored; ; await clock.sleep(calendarSeconds, signal)) {
      const now = timeOfDay();
      if (hasElapsed(calendar, last, now)) {
        note(now);
        await elapse();
      }
      last = now;
    }
  }

  private daemonOf(unit: UnitFile): Daemon | undefined {
    const words = (unit.get("Service.ExecStart") ?? "").split(/\s+/);
    return words.map((word) => this.around.daemon(word)).find((daemon) => daemon !== undefined);
  }

  private command(line: string, active: Active): Run {
    const words = line.replace(/^[-@+!:]+/, "").split(/\s+/);
    const run = this.around.runs.start(words, (text) => this.around.say(text));
    active.run = run;
    const forget = () => {
      if (active.run === run) delete active.run;
    };
    void run.done.then(({ code }) => this.around.ran(words, code));
    run.done.then(forget, forget);
    return run;
  }

  /** A run's exit code; undefined when it took too long and was ended. */
  private async within(run: Run, seconds: number, stopSeconds: number): Promise<number | undefined> {
    if (seconds === Infinity) {
      return (await run.done).code;
    }
    const done = new AbortController();
    const late = this.around.clock.patience(seconds, done.signal).then(
      () => true,
      () => false,
    );
    const ended = run.done.finally(() => done.abort());
    if (await Promise.race([late, ended.then(() => false)])) {
      await this.end(run, stopSeconds);
      return undefined;
    }
    return (await ended).code;
  }

  /** SIGTERM, and SIGKILL for what has not ended in time. */
  private async end(run: Run, seconds: number): Promise<void> {
    const done = new AbortController();
    run.signal("SIGTERM");
    this.around.clock.patience(seconds, done.signal).then(
      () => run.signal("SIGKILL"),
      () => undefined,
    );
    await run.done.finally(() => done.abort());
  }
}

/** As systemd's generator makes them of fstab; the root's own line has been dealt with before. */
function mountUnits(fstab: string): UnitFile[] {
  return fstab.split("\n").flatMap((line) => {
    const [what = "", where = "", type, options = ""] = line.trim().split(/\s+/);
    if (!what.startsWith("UUID=") || where === "/" || type !== "xfs") {
      return [];
    }
    const timeout = /x-systemd\.device-timeout=(\w+)/.exec(options)?.[1] ?? "90";
    return [
      new UnitFile(mountName(where), [`[Mount]\nWhat=${what}\nWhere=${where}\nDeviceTimeout=${timeout}\n`]),
    ];
  });
}

/** `/var/lib/emqx` is var-lib-emqx.mount (systemd-escape --path). */
function mountName(path: string): string {
  return `${path
    .replace(/^\/|\/$/g, "")
    .replaceAll("-", "\\x2d")
    .replaceAll("/", "-")}.mount`;
}
