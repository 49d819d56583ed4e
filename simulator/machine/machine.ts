/** One running instance: boots from its disk, runs what its user data and EMQX's package put there, can lose its power. */
import { Socket, connect } from "node:net";
import { DiscContents, emptyDisc } from "../dataplane/cluster/database";
import { ClusterStatus } from "../dataplane/cluster/membership";
import { Verdict } from "../dataplane/reachability";
import { InstanceFacts, RoleCalls } from "../dataplane/regionView";
import { Clock } from "./bash/clock";
import { Disks } from "./bash/disks";
import type { Disturbances } from "./bash/outside";
import type { Premises } from "./bash/premises";
import { Root } from "./bash/root";
import { Runs } from "./bash/runs";
import { fail } from "./bash/standIn";
import { type Answer, type Call } from "./bash/call";
import { programs, standIns } from "./bash/standIns";
import { installedEmqx } from "./bash/standIns/packages";
import type { System } from "./bash/system";
import type { Turns } from "./bash/turns";
import { JobFailed, Units } from "./bash/units";
import { CloudInitResult, runCloudInit } from "./cloudConfig";
import { askBackEnd } from "./backEnds";
import { EmqxNode } from "./emqxNode";
import { EmqxSettings, profileOf, readEmqxSettings } from "./emqxSettings";
import { serviceEnvironment } from "./packages";

interface MachineRoom {
  /** The instance as the region describes it now. */
  facts(): InstanceFacts;
  address: string;
  addressOf(privateIp: string): string | undefined;
  guard(socket: Socket, port: number): boolean;
  egress(host: string, port: number): Verdict;
  role: RoleCalls;
  isFormatted(volumeId: string): boolean;
  formatVolume(volumeId: string): void;
  /** Why EMQX is not to come up on this node of a cluster, by its parameters' prefix and its number. */
  failsBoot(parameterPrefix: string, nodeNumber: number): boolean;
  timeOfDay(): Date;
  /** Disks and data volumes, which outlive a boot. */
  premises: Premises;
  /** EMQX's data on the data volumes. */
  volumes: Map<string, DiscContents>;
  turns: Turns;
  disturbances: Disturbances;
  bootClock: number;
  clusterClock: number;
  console(line: string): void;
}

export type MachinePhase = "booting" | "ready" | "failed" | "no user data" | "off";

/** What somebody who ran an operation gets to see. */
export interface OperationResult {
  lines: string[];
  exitCode: number;
}

const dataFolder = "/var/lib/emqx";
const emqxUnit = "emqx.service";
const dialMs = 3000;
const settleMs = 30;

export class Machine {
  phase: MachinePhase = "booting";
  /** Why the boot failed. */
  problem: string | undefined;
  /** Without power or network. */
  silent = false;
  private emqx: EmqxNode | undefined;
  private readonly power = new AbortController();
  private parts: (System & { runs: Runs }) | undefined;
  private perBoot: string[] | undefined;
  private booted: Promise<void> = Promise.resolve();
  /** The end of every operation asked for so far: only one of them runs at a time. */
  private operated: Promise<unknown> = Promise.resolve();
  private giveTurn: () => void = () => undefined;

  constructor(
    readonly instanceId: string,
    private readonly room: MachineRoom,
  ) {}

  /** Switches it on after `before` has released the address; the boot goes on by itself. */
  start(before: Promise<void>): void {
    this.booted = before
      .then(() => this.boot())
      .catch((error: Error) => {
        if (!this.power.signal.aborted) {
          this.phase = "failed";
          this.problem = error.message;
          this.say(`the machine cannot go on: ${error.message}`);
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

  cluster(): ClusterStatus {
    return this.emqx?.cluster() ?? { running: [], stopped: [] };
  }

  clusterProblems(): Record<string, string> {
    return this.emqx?.clusterProblems() ?? {};
  }

  /** Something in the account has changed. */
  stir(): void {
    this.parts?.clock.stir();
  }

  /** Shuts the operating system down as on stop and terminate: units stop in their order, then the power goes. */
  async shutDown(): Promise<void> {
    if (!this.silent) {
      this.say("systemd: System is powering down");
      await this.parts?.units.shutDown();
    }
    await this.switchOff();
  }

  /** The power goes: nothing is asked, nothing runs any more, the address is free. */
  async switchOff(): Promise<void> {
    this.power.abort();
    this.giveTurn();
    const { parts } = this;
    parts?.units.cutOff();
    parts?.runs.kill();
    await Promise.all([this.booted, parts?.runs.ended()]);
    await this.stopEmqx();
    parts?.disks.unmountAll();
    this.phase = "off";
  }

  /** Power or network is gone from one moment to the next. */
  async losePower(): Promise<void> {
    this.silent = true;
    this.power.abort();
    this.giveTurn();
    this.parts?.units.cutOff();
    this.parts?.runs.kill();
    await this.emqx?.silence();
  }

  /** `systemctl stop emqx`. */
  async stopEmqxUnit(): Promise<void> {
    await this.parts?.units.stop(emqxUnit);
  }

  /** `systemctl start emqx`; resolves when it answers. */
  async startEmqxUnit(): Promise<void> {
    await this.parts?.units.start(emqxUnit);
    await this.starting;
  }

  /** Runs an operation as people do, after what runs already. Rejects when nobody can reach the machine. */
  operate(operation: string, args: string[]): Promise<OperationResult> {
    const result = this.operated.then(() => this.runOperation(operation, args));
    this.operated = result.catch(() => undefined);
    return result;
  }

  /** Makes `/status` answer 503, or well again. */
  breakHealthCheck(broken: boolean): void {
    if (this.emqx !== undefined) {
      this.emqx.health = broken ? "broken" : "running";
    }
  }

  /** A file of the machine's disk, by its path there. */
  get files() {
    return this.parts?.root.files;
  }

  private say(line: string): void {
    this.room.console(line);
  }

  private async boot(): Promise<void> {
    const facts = this.room.facts();
    this.say(
      `kernel: Linux on ${facts.architecture}, instance ${this.instanceId}, address ${facts.privateIp}`,
    );
    const { path, isNew } = this.room.premises.disk(this.instanceId);
    const root = new Root(path, this.room.premises.tools());
    const cloudInit = runCloudInit(facts.userData);
    if (isNew) {
      root.install(Object.keys(programs));
      cloudInit.log.forEach((line) => this.say(line));
      for (const [file, content] of cloudInit.files) {
        root.files.set(file, content);
        this.say(`cloud-init: wrote ${file}`);
      }
    }
    root.boot();
    this.parts = this.assemble(root);
    const { units, disks } = this.parts;
    disks.refresh();
    this.giveTurn = await this.room.turns.take();
    try {
      units.boot();
      await this.runCommands(cloudInit, isNew);
    } finally {
      this.giveTurn();
    }
  }

  private async runCommands({ commands }: CloudInitResult, isFirst: boolean): Promise<void> {
    const due = commands.filter(({ isPerBoot }) => isPerBoot || isFirst);
    this.perBoot = commands.find(({ isPerBoot }) => isPerBoot)?.words;
    if (due.length === 0) {
      this.phase = "no user data";
      this.say("cloud-init: nothing to run");
      return;
    }
    for (const { words } of due) {
      if (!this.power.signal.aborted) {
        await this.runBoot(words);
      }
    }
  }

  private async runBoot(words: string[]): Promise<void> {
    this.say(`cloud-init: running ${words.join(" ")}`);
    const { code, lines } = await this.parts!.runs.start(words, (line) => this.say(line)).done;
    if (code === 0) {
      this.phase = "ready";
      this.problem = undefined;
    } else {
      this.phase = "failed";
      this.problem = (lines.at(-1) ?? `${words.join(" ")}: exit code ${code}`).replace(/^[a-z-]+: /, "");
      this.say(`cloud-init: WARNING: ${words.join(" ")} failed with exit code ${code}`);
    }
  }

  private async runOperation(operation: string, args: string[]): Promise<OperationResult> {
    await this.booted;
    const { parts, perBoot } = this;
    await parts?.units.idle();
    if (this.silent || this.power.signal.aborted || parts === undefined || perBoot === undefined) {
      throw new Error(`machine ${this.instanceId} does not answer: it has no power or no network`);
    }
    const { code, lines } = await parts.runs.start([...perBoot, operation, ...args], (line) => this.say(line))
      .done;
    return { lines, exitCode: code };
  }

  /** The parts of the system that runs from this boot on. */
  private assemble(root: Root): System & { runs: Runs } {
    const { room, instanceId } = this;
    const clock = new Clock(room.bootClock, root.at("/proc/uptime"), () => this.giveTurn());
    const disks = new Disks(root, {
      facts: () => room.facts(),
      isFormatted: (volumeId) => room.isFormatted(volumeId),
      format: (volumeId) => room.formatVolume(volumeId),
      folderOf: (volumeId) => room.premises.volume(volumeId),
    });
    const runs = new Runs(root, (call) => this.answer(call));
    const units = new Units({
      root,
      clock,
      disks,
      runs,
      timeOfDay: () => room.timeOfDay(),
      daemon: (program) =>
        program === "/usr/bin/emqx"
          ? { start: () => this.startDaemon(), stop: () => this.stopEmqx() }
          : program.endsWith("start-amazon-cloudwatch-agent")
            ? { start: async () => ({ ended: new Promise(() => undefined) }), stop: async () => undefined }
            : undefined,
      ran: (words, code) => {
        // A boot that failed may be gone through again.
        if (code === 0 && words.join(" ") === this.perBoot?.join(" ")) {
          this.phase = "ready";
          this.problem = undefined;
        }
      },
      say: (line) => this.say(line),
    });
    return {
      instanceId,
      address: room.address,
      root,
      clock,
      disks,
      units,
      runs,
      role: room.role,
      timeOfDay: () => room.timeOfDay(),
      facts: () => room.facts(),
      egress: (host, port) => room.egress(host, port),
      dial: (privateIp, port) => this.dial(privateIp, port),
      rules: new Map(),
      emqx: () => this.runningEmqx,
    };
  }

  private answer(call: Call): Promise<Answer> {
    const { parts, room } = this;
    const standIn = Object.hasOwn(standIns, call.program) ? standIns[call.program] : undefined;
    if (parts === undefined || standIn === undefined) {
      return Promise.resolve(fail(`${call.program}: command not found`, 127));
    }
    return room.disturbances.answer(this.instanceId, parts.clock, call, async () => standIn(call, parts));
  }

  private starting: Promise<void> = Promise.resolve();

  /** A process is there as soon as its environment is; whether EMQX comes up in it is another matter. */
  private async startDaemon(): Promise<{ ended: Promise<void> }> {
    const { root } = this.parts!;
    let environment: Record<string, string>;
    try {
      environment = serviceEnvironment(root.files);
    } catch (error) {
      this.say(`systemd: ${(error as Error).message}`);
      throw new JobFailed(
        `Job for ${emqxUnit} failed because of unavailable resources or another system error.\n` +
          `See "systemctl status ${emqxUnit}" and "journalctl -xeu ${emqxUnit}" for details.`,
      );
    }
    let hasEnded = () => {};
    const ended = new Promise<void>((resolve) => (hasEnded = resolve));
    this.starting = this.launchEmqx(environment).catch((error: Error) => {
      this.say(`emqx: ${error.message}`);
      hasEnded();
    });
    return { ended };
  }

  private async stopEmqx(): Promise<void> {
    await this.starting;
    const { emqx } = this;
    if (emqx !== undefined) {
      this.emqx = undefined;
      await emqx.stop();
    }
  }

  private async launchEmqx(environment: Record<string, string>): Promise<void> {
    const { root, disks } = this.parts!;
    const version = installedEmqx(root) ?? "";
    const name = (key: string) =>
      new RegExp(`^${key}='(.*)'$`, "m").exec(root.read("/etc/emqx-node/node.env") ?? "")?.[1] ?? "";
    if (this.room.failsBoot(name("PARAMETER_PREFIX"), Number(name("NODE_NUMBER")))) {
      throw new Error("it was told not to come up");
    }
    const volumeId = disks.mountedAt(dataFolder);
    const disc = (volumeId === undefined ? undefined : this.room.volumes.get(volumeId)) ?? emptyDisc();
    if (volumeId !== undefined) {
      this.room.volumes.set(volumeId, disc);
    }
    const files = root.files.as("emqx");
    const settings = await readEmqxSettings(files, environment, version);
    settings.warnings.forEach((warning) => this.say(`emqx: [warning] ${warning}`));
    if (this.power.signal.aborted) {
      return;
    }
    const emqx = await EmqxNode.start(settings, {
      address: this.room.address,
      addressOf: (host) => this.room.addressOf(host),
      // What comes from the machine itself passes no security group.
      guard: (socket, port) =>
        (!this.silent && socket.remoteAddress === this.room.address) ||
        (this.room.guard(socket, port) && this.answers(socket, port)),
      disc,
      files,
      ask: (request) => askBackEnd(request, (host, port) => this.room.egress(host, port)),
      reread: () => readEmqxSettings(files, profileOf(environment), version),
      secondMs: 1000 * this.room.clusterClock,
      log: (line) => this.say(`emqx: ${line}`),
    });
    this.emqx = emqx;
    const { mqtt, ws, ssl, wss, dashboard, ports, nodeName } = settings;
    const heard = [
      mqtt?.port,
      ws?.port,
      ssl?.port,
      wss?.port,
      dashboard?.port,
      ...Object.values(ports),
    ].filter((port) => port !== undefined);
    this.say(`emqx: EMQX ${version} is started as ${nodeName}, ports ${heard.join(", ")}`);
  }

  /** Whether what a port answers leaves the machine. */
  private answers(socket: Socket, port: number): boolean {
    if (![...(this.parts?.rules.values() ?? [])].includes(port)) return true;
    socket.resume();
    return false;
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
      const timer = setTimeout(() => finish(false), dialMs);
      socket.on("error", () => finish(false));
      socket.on("close", () => finish(false));
      socket.on("connect", () => setTimeout(() => finish(true), settleMs));
    });
  }
}
