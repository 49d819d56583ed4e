/** One running instance: boots from its user data, runs EMQX, keeps a console log, can lose its power. */
import { Socket, connect } from "node:net";
import { DiscContents, emptyDisc } from "../dataplane/cluster/database";
import { ClusterStatus } from "../dataplane/cluster/membership";
import { Verdict } from "../dataplane/reachability";
import { InstanceFacts, RoleCalls } from "../dataplane/regionView";
import { actOut, BootMachine } from "./bootScript";
import { hasElapsed } from "./backupTimer";
import { runCloudInit } from "./cloudConfig";
import { EmqxNode } from "./emqxNode";
import { EmqxSettings, readEmqxSettings } from "./emqxSettings";
import { FileSystem } from "./fileSystem";
import { actOutOperation, OperationMachine, OperationResult } from "./operations";
import { backupCalendarOf } from "./operations/backupPlan";
import { ScriptMachine } from "./script";

export interface MachineRoom {
  /** The instance as the region describes it now. */
  facts(): InstanceFacts;
  address: string;
  addressOf(privateIp: string): string | undefined;
  guard(socket: Socket, port: number): boolean;
  egress(host: string, port: number): Verdict;
  role: RoleCalls;
  formatVolume(volumeId: string): boolean;
  failsBoot(parameterPrefix: string, nodeNumber: number): boolean;
  timeOfDay(): Date;
  /** What is on the data volumes, which outlive the machines. */
  volumes: Map<string, DiscContents>;
  bootClock: number;
  clusterClock: number;
  console(line: string): void;
}

export type MachinePhase = "booting" | "ready" | "failed" | "no user data" | "off";

const shortestWaitMs = 20;
const syncSeconds = 60;

export class Machine {
  phase: MachinePhase = "booting";
  /** Why the boot failed. */
  problem: string | undefined;
  /** Without power or network. */
  silent = false;
  private emqx: EmqxNode | undefined;
  private emqxStart: { version: string; environment: Record<string, string> } | undefined;
  private files: FileSystem = new Map();
  /** /var/lib/emqx: a folder of the machine until the data volume is mounted there. */
  private disc: DiscContents = emptyDisc();
  private readonly power = new AbortController();
  /** The end of the boot script and of every operation asked for so far: only one of them runs at a time. */
  private scriptsDone: Promise<void> = Promise.resolve();

  constructor(
    readonly instanceId: string,
    private readonly room: MachineRoom,
  ) {}

  /** Switches it on after `before` has released the address; the boot goes on by itself. */
  start(before: Promise<void>): void {
    this.scriptsDone = before
      .then(() => this.boot())
      .catch((error: Error) => {
        if (!this.power.signal.aborted) {
          this.phase = "failed";
          this.problem = error.message;
          this.say(`emqx-node: ${error.message}`);
        }
      });
  }

  /** EMQX, while it runs and the machine can do anything. */
  get runningEmqx(): EmqxNode | undefined {
    return this.silent ? undefined : this.emqx;
  }

  get settings(): EmqxSettings | undefined {
    return this.emqx?.settings;
  }

  get connections(): number {
    return this.emqx?.connections ?? 0;
  }

  clientIds(): string[] {
    return this.emqx?.clientIds() ?? [];
  }

  emqxRuns(): boolean {
    return this.emqx !== undefined && !this.silent;
  }

  cluster(): ClusterStatus {
    return this.emqx?.cluster() ?? { running: [], stopped: [] };
  }

  clusterProblems(): Record<string, string> {
    return this.emqx?.clusterProblems() ?? {};
  }

  /** Shuts the operating system down, EMQX first, as on stop and terminate. */
  async shutDown(): Promise<void> {
    this.say("systemd: System is powering down");
    if (this.phase === "ready" && this.runningEmqx !== undefined) {
      // emqx-node-drain.service stops before emqx.service.
      await this.operate("drain", []);
    }
    this.power.abort();
    await this.scriptsDone;
    await this.stopEmqx();
    this.phase = "off";
  }

  /** Power or network is gone from one moment to the next. */
  async losePower(): Promise<void> {
    this.silent = true;
    await this.emqx?.silence();
  }

  /** `systemctl stop emqx`. */
  async stopEmqx(): Promise<void> {
    const emqx = this.emqx;
    if (emqx !== undefined) {
      this.emqx = undefined;
      await emqx.stop();
      this.say("systemd: Stopped emqx.service");
    }
  }

  /** `systemctl start emqx`, with the files as they are. */
  async startEmqx(): Promise<void> {
    if (this.emqx === undefined && this.emqxStart !== undefined) {
      await this.launchEmqx(this.emqxStart.version, this.emqxStart.environment);
    }
  }

  /** `emqx-node OPERATION ARGS…`, after what runs already. Rejects when nobody can reach the machine. */
  operate(operation: string, args: string[]): Promise<OperationResult> {
    const result = this.scriptsDone.then(() => this.runOperation(operation, args));
    this.scriptsDone = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** Makes `/status` answer 503, or well again. */
  breakHealthCheck(broken: boolean): void {
    if (this.emqx !== undefined) {
      this.emqx.health = broken ? "broken" : "running";
    }
  }

  private say(line: string): void {
    this.room.console(line);
  }

  private async boot(): Promise<void> {
    const facts = this.room.facts();
    this.say(
      `kernel: Linux on ${facts.architecture}, instance ${this.instanceId}, address ${facts.privateIp}`,
    );
    const { files, commands, log } = runCloudInit(facts.userData);
    this.files = files;
    log.forEach((line) => this.say(line));
    for (const path of files.keys()) {
      this.say(`cloud-init: wrote ${path}`);
    }
    const script = commands.find(
      (command) => command.script !== undefined && /^\s*begin "/m.test(command.script),
    );
    for (const command of commands.filter((other) => other !== script)) {
      this.say(`cloud-init: "${command.command}" is not a boot script that the simulation knows; not run`);
    }
    if (script?.script === undefined) {
      this.phase = "no user data";
      this.say("cloud-init: nothing to run");
      return;
    }
    this.say(`cloud-init: running ${script.command}`);
    await actOut(script.script, this.bootMachine(facts));
    this.phase = "ready";
    void this.runTimers();
  }

  /** emqx-node-sync.timer and, looked at as often, emqx-backup.timer. */
  private async runTimers(): Promise<void> {
    try {
      for (let last = this.room.timeOfDay(); ;) {
        await this.sleep(syncSeconds * 1000 * this.room.bootClock);
        if (this.silent) {
          continue;
        }
        await this.operate("sync", []);
        const now = this.room.timeOfDay();
        const calendar = backupCalendarOf(this.files);
        if (calendar !== undefined && hasElapsed(calendar, last, now)) {
          await this.operate("backup", []);
        }
        last = now;
      }
    } catch (error) {
      if (!this.power.signal.aborted) {
        this.say(`systemd: ${(error as Error).message}`);
      }
    }
  }

  private async runOperation(operation: string, args: string[]): Promise<OperationResult> {
    if (this.silent || this.power.signal.aborted) {
      throw new Error(`machine ${this.instanceId} does not answer: it has no power or no network`);
    }
    const lines: string[] = [];
    const say = (line: string) => {
      lines.push(line);
      this.say(line);
    };
    try {
      await actOutOperation(operation, args, this.operationMachine(say));
      return { lines, exitCode: 0 };
    } catch (error) {
      say(`emqx-node: ${(error as Error).message}`);
      return { lines, exitCode: 1 };
    }
  }

  private scriptMachine(say: (line: string) => void): ScriptMachine {
    const started = Date.now();
    const { room } = this;
    return {
      files: this.files,
      instanceId: this.instanceId,
      role: room.role,
      egress: (host, port) => room.egress(host, port),
      emqxRuns: () => this.emqxRuns(),
      cluster: () => this.cluster(),
      sleep: (seconds) => this.sleep(Math.max(shortestWaitMs, seconds * 1000 * room.bootClock)),
      now: () => (Date.now() - started) / 1000 / room.bootClock,
      say,
      operate: (operation) => actOutOperation(operation, [], this.operationMachine(say)),
    };
  }

  private operationMachine(say: (line: string) => void): OperationMachine {
    return { ...this.scriptMachine(say), emqx: () => this.runningEmqx, volumeFiles: this.disc.files };
  }

  private bootMachine(facts: InstanceFacts): BootMachine {
    const { room } = this;
    return {
      ...this.scriptMachine((line) => this.say(line)),
      architecture: facts.architecture,
      volumeAt: (devices) => room.facts().volumes.find((volume) => devices.includes(volume.device))?.volumeId,
      formatVolume: (volumeId) => room.formatVolume(volumeId),
      failsBoot: (prefix, node) => room.failsBoot(prefix, node),
      mountVolume: (volumeId) => this.mount(volumeId),
      startEmqx: (version, environment) => this.launchEmqx(version, environment),
      clusterProblems: () => this.clusterProblems(),
      dial: (address, port) => this.dial(address, port),
    };
  }

  private async launchEmqx(version: string, environment: Record<string, string>): Promise<EmqxSettings> {
    if (this.power.signal.aborted) {
      throw new Error("the machine is switched off");
    }
    this.emqxStart = { version, environment };
    const settings = await readEmqxSettings(this.files, environment, version);
    settings.warnings.forEach((warning) => this.say(`emqx: [warning] ${warning}`));
    const emqx = await EmqxNode.start(settings, {
      address: this.room.address,
      addressOf: (host) => this.room.addressOf(host),
      guard: (socket, port) => this.room.guard(socket, port),
      disc: this.disc,
      files: this.files,
      secondMs: 1000 * this.room.clusterClock,
      log: (line) => this.say(`emqx: ${line}`),
    });
    this.emqx = emqx;
    const { mqtt, ws, dashboard, ports, nodeName } = settings;
    const heard = [mqtt?.port, ws?.port, dashboard?.port, ...Object.values(ports)].filter(
      (port) => port !== undefined,
    );
    this.say(`emqx: EMQX ${version} is started as ${nodeName}, ports ${heard.join(", ")}`);
    return settings;
  }

  private mount(volumeId: string): void {
    const { volumes } = this.room;
    this.disc = volumes.get(volumeId) ?? emptyDisc();
    volumes.set(volumeId, this.disc);
  }

  private sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal } = this.power;
      const off = () => {
        clearTimeout(timer);
        reject(new Error("the machine is switched off"));
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", off);
        resolve();
      }, milliseconds);
      if (signal.aborted) {
        off();
      } else {
        signal.addEventListener("abort", off, { once: true });
      }
    });
  }

  /** A port counts as open when the connection is not reset at once, which is how a dropped one shows here. */
  private dial(privateIp: string, port: number): Promise<boolean> {
    const host = this.room.addressOf(privateIp);
    if (host === undefined) {
      return Promise.resolve(false);
    }
    return new Promise((resolve) => {
      const socket = connect({ host, port, localAddress: this.room.address });
      const finish = (open: boolean) => {
        clearTimeout(timer);
        socket.destroy();
        resolve(open);
      };
      const timer = setTimeout(() => finish(false), 3000);
      socket.on("error", () => finish(false));
      socket.on("close", () => finish(false));
      socket.on("connect", () => setTimeout(() => finish(true), 30));
    });
  }
}
