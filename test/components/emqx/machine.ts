/**
 * One instance of the simulated region with the files of its user data: the region's own bash, stand-ins, systemd and EMQX.
 * The nodes around it are what a test says. Its scripts' waits are shortened; its timers and the next try of a failed boot
 * take their time, which no test waits for.
 */
import {
  cpSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { operations, operationsParameterText } from "../../../components/emqx/operations";
import { type NodeUserDataArgs, renderUserData } from "../../../components/emqx/userData";
import { emptyDisc, passwordFits } from "@emqx-aws/simulator/dataplane/cluster/database";
import { hostTools } from "@emqx-aws/simulator/machine/bash/hostTools";
import { type Disturbance, Disturbances } from "@emqx-aws/simulator/machine/bash/outside";
import type { Run as Process } from "@emqx-aws/simulator/machine/bash/runs";
import type { Answer, Call } from "@emqx-aws/simulator/machine/bash/call";
import { installedEmqx } from "@emqx-aws/simulator/machine/bash/standIns/packages";
import type { System } from "@emqx-aws/simulator/machine/bash/system";
import type { Daemon } from "@emqx-aws/simulator/machine/bash/units";
import { runCloudInit } from "@emqx-aws/simulator/machine/cloudConfig";
import { EmqxNode } from "@emqx-aws/simulator/machine/emqxNode";
import { profileOf, readEmqxSettings } from "@emqx-aws/simulator/machine/emqxSettings";
import { serviceEnvironment } from "@emqx-aws/simulator/machine/packages";
import { ownRules } from "../../../components/emqx/acl";
import { includeSecrets, nodeFiles } from "../../../components/emqx/configuration";
import { licenseKeyOf } from "../../licenseKey";
import { TestSystem } from "@emqx-aws/simulator/test/machine/system";
import { nodeArgs } from "./arguments";

export const secrets = {
  cookie: "Cookie0123456789abcdefghijklmnopqrstuvwxyz",
  dashboardPassword: "Dashboard-Secret-1",
  mqttPassword: "Mqtt-Secret-1",
  licenseKey: licenseKeyOf("20260101"),
  secretConfig: 'authentication.2.password = "Config-Secret-1"\n',
};

export interface Run {
  code: number;
  console: string;
  /** Every call of a command that the region answers, with its arguments. */
  calls: string[];
}

export const instanceId = "i-0123456789abcdef0";
export const targetGroup = (name: string) =>
  `arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/${name}/0123456789abcdef`;
const script = "/var/lib/cloud/scripts/per-boot/emqx-node";
const self = "emqx@192.168.0.10";
const factor = 0.0005;
/** What `aws` is always told. */
const limits = /^aws --cli-connect-timeout 5 --cli-read-timeout 20 /;
let machines = 0;

export class Machine extends TestSystem {
  /** Nodes of the cluster, as EMQX tells them. */
  cluster = { running: [self, "emqx@192.168.0.11"], stopped: [] as string[] };
  /** Who else takes connections on the port between nodes. */
  reachable = ["192.168.0.11/6369"];
  /** Whether EMQX and the CloudWatch agent come up when their services are started. */
  emqxRuns = true;
  agentRuns = true;
  /** How many clients EMQX counts. */
  connections = () => 0;
  emqx: EmqxNode | undefined;
  /** How a call goes wrong, by its words, in which a run's own folder is emqx-node.PID. */
  fault: ((site: string) => Disturbance["how"] | undefined) | undefined;
  private disc = emptyDisc();
  private calls: string[] = [];
  private starting: Promise<void> = Promise.resolve();

  private constructor(
    private readonly userData: string,
    private readonly prefix: string,
  ) {
    super(factor, 1, { privateIp: "192.168.0.10", userData });
    // As long as its health check gets an answer.
    this.role.describeTargetHealth = async () => ({
      state: [...this.system.rules.values()].includes(18083) ? "unhealthy" : "healthy",
    });
    Object.assign(this.system, {
      instanceId,
      // Regions have 127.64.0.0 and what comes after it.
      address: `127.60.${process.env["JEST_WORKER_ID"] ?? 0}.${1 + (machines++ % 250)}`,
      emqx: () => this.emqx,
      dial: async (address: string, port: number) =>
        this.reachable.includes(`${address}/${port}`) ||
        (address === "192.168.0.10" && port === this.emqx?.settings.ports.distribution),
    });
  }

  /** Before its first boot, but with the operations, which take a third of it. */
  static of(userData: string, prefix: string): Machine {
    const machine = new Machine(userData, prefix);
    for (const [path, file] of runCloudInit(userData).files) machine.root.files.set(path, file);
    machine.units.boot();
    machine.parameter("cookie", secrets.cookie);
    machine.parameter("dashboard-password", secrets.dashboardPassword);
    machine.parameter("mqtt-password", secrets.mqttPassword);
    machine.parameter("license-key", secrets.licenseKey);
    if (userData.includes(includeSecrets)) machine.parameter("secret-config", secrets.secretConfig);
    if (userData.includes(nodeFiles.acl)) machine.parameter("acl", ownRules);
    machine.parameter("load-balancers", "emqx-lb");
    machine.parameter("nodes/0/ready", "never");
    machine.parameter("nodes/0/applied", "never");
    machine.members(["192.168.0.10", "192.168.0.11"], 4);
    machine.operations(operations);
    for (const [name, text] of Object.entries(operations))
      machine.write(`etc/emqx-node/operations/${name}`, text.trimEnd());
    machine.role.health.set(instanceId, { state: "InService", reasonCode: "N/A", description: "N/A" });
    return machine;
  }

  /** Another one in the same state: quicker than another boot. `hadPowerCut`: it is switched on again, its scripts not yet run. */
  async copy(hadPowerCut = false): Promise<Machine> {
    const other = new Machine(this.userData, this.prefix);
    rmSync(other.folder, { recursive: true });
    cpSync(this.folder, other.folder, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    for (const name of readdirSync(this.folder, { recursive: true, encoding: "utf8" })) {
      const [from, to] = [join(this.folder, name), join(other.folder, name)];
      if (!lstatSync(from).isSymbolicLink()) other.root.owners.set(to, this.root.owners.of(from));
      else if (readlinkSync(from).startsWith(this.folder)) {
        rmSync(to);
        symlinkSync(readlinkSync(from).replace(this.folder, other.folder), to);
      }
    }
    for (const map of ["parameters", "versions", "objects", "metrics", "health"] as const)
      this.role[map].forEach((value, key) => (other.role[map] as Map<string, unknown>).set(key, value));
    this.formatted.forEach((volume) => other.formatted.add(volume));
    const { cluster, reachable, volumes, disc, connections, emqxRuns, agentRuns } = this;
    Object.assign(other, structuredClone({ cluster, reachable, volumes, disc }));
    Object.assign(other, { connections, emqxRuns, agentRuns });
    if (hadPowerCut) other.root.boot();
    other.disks.refresh();
    await other.clock.sleep(0, new AbortController().signal);
    other.units.boot();
    if (other.units.isEnabled("emqx.service")) await other.units.start("emqx.service").catch(() => undefined);
    await other.starting;
    return other;
  }

  /** Nothing is attached any more, or only after so many seconds. */
  detach(seconds = Infinity): void {
    const [end, { volumes }] = [this.uptime() + seconds, this];
    Object.defineProperty(this, "volumes", { get: () => (this.uptime() < end ? [] : volumes) });
    this.disks.refresh();
  }

  parameter(name: string, value: string | undefined): void {
    if (value === undefined) this.parameters.delete(`${this.prefix}/${name}`);
    else this.parameters.set(`${this.prefix}/${name}`, value);
  }

  /** A new version of a parameter. */
  change(name: string, value: string): void {
    void this.role.putParameter(`${this.prefix}/${name}`, value);
  }

  /** A second version of the rules of what clients may do. */
  changeAcl(text: string): void {
    this.change("acl", text);
    this.change("cluster", this.readParameter("cluster").replace("acl=1", "acl=2"));
  }

  /** The nodes of the deployment from now on, and the target groups. */
  members(addresses: string[], drainSeconds: number, groups: string[] = []): void {
    const further = [
      ...(groups.length > 0 ? [`TARGET_GROUPS='${groups.map((name) => targetGroup(name)).join(" ")}'`] : []),
      ...(this.parameters.has(`${this.prefix}/acl`) ? ["VERSIONS='acl=1'"] : []),
    ];
    const lines = [`MEMBERS='${addresses.join(" ")}'`, `DRAIN_SECONDS='${drainSeconds}'`, ...further];
    this.change("cluster", lines.join("\n"));
  }

  /** The operations from now on. */
  operations(texts: Record<string, string>): void {
    for (const [name, text] of Object.entries(texts)) this.parameter(`operations/${name}`, text);
    this.change("operations/list", operationsParameterText(texts));
  }

  /** Lets calls of a program go another way: those whose arguments fit, all or so many of them. */
  disturb(program: string, args: RegExp, how: Disturbance["how"], times = Infinity): () => void {
    return this.disturbances.add({ program, args, how, times });
  }

  /** The machine's time, in seconds. */
  uptime(): number {
    return this.clock.uptime;
  }

  readParameter(name: string): string {
    return (this.parameters.get(`${this.prefix}/${name}`) ?? "").replaceAll(this.root.path, "");
  }

  has(path: string): boolean {
    return existsSync(this.root.at(`/${path}`));
  }

  read(path: string): string {
    return readFileSync(this.root.at(`/${path}`), "utf8");
  }

  write(path: string, content: string): void {
    this.root.write(`/${path}`, content);
  }

  /** As `root:emqx 640`. */
  mode(path: string): string {
    const file = this.root.at(`/${path}`);
    return `${this.root.owners.of(file)} ${(statSync(file).mode & 0o777).toString(8)}`;
  }

  /** Every file that outlives a reboot with its content; `isExact`: mode and the time it was last written, too. */
  files(isExact = false): Record<string, string> {
    const found: Record<string, string> = {};
    for (const name of readdirSync(this.folder, { recursive: true, encoding: "utf8" })) {
      const [path, stat] = [join(this.folder, name), lstatSync(join(this.folder, name))];
      if (!stat.isFile() || /^root\/(run|proc|bin|dev|tmp|opt|var\/lib\/emqx)\//.test(name)) continue;
      found[name] = (isExact ? `${stat.mode.toString(8)} ${stat.mtimeMs} ` : "") + readFileSync(path, "utf8");
    }
    return found;
  }

  /** Notes in /tools what this computer's own programs are called with. */
  watchTools(): void {
    for (const [name, path] of hostTools()) {
      if (/^(bash|timeout|find)$/.test(name)) continue;
      const note = `printf '%s\\n' ${name} "$@" >>"$EMQX_NODE_ROOT/tools"`;
      this.root.write(`/bin/${name}`, `#!${hostTools().get("bash")} -p\n${note}\nexec ${path} "$@"\n`, 0o755);
    }
  }

  boot(): Promise<Run> {
    return this.run([]);
  }

  /** Runs an operation, as the timers, systemd and people do. */
  operate(...args: string[]): Promise<Run> {
    return this.run(args);
  }

  /** A run that goes on; its calls are those of all that go on at the time. */
  start(args: string[]): Process {
    return this.runs.start([script, ...args], () => undefined);
  }

  /** A run, and its processes. */
  begin(args: string[]): { run: Promise<Run>; process: Process } {
    this.calls = [];
    const process = this.start(args);
    const run = process.done.then(({ code, lines }) => ({
      code,
      console: lines.map((line) => `${line}\n`).join(""),
      calls: this.calls,
    }));
    return { run, process };
  }

  private run(args: string[]): Promise<Run> {
    return this.begin(args).run;
  }

  protected override answer(call: Call, system: System): Promise<Answer> {
    const words = [call.program, ...call.args].map((word) => word.replaceAll(this.root.path, ""));
    const site = words.join(" ").replace(limits, "aws ");
    const act = () => super.answer(call, system);
    // Not what systemd runs by itself.
    if (system !== this.system) return act();
    this.calls.push(site);
    const how = this.fault?.(site.replace(/emqx-node\.\d+/g, "emqx-node.PID"));
    if (how === undefined) return act();
    const disturbances = new Disturbances();
    disturbances.add({ how });
    return disturbances.answer(instanceId, this.clock, call, act);
  }

  protected override daemon(program: string): Daemon | undefined {
    if (program.endsWith("start-amazon-cloudwatch-agent"))
      return {
        start: async () => ({ ended: this.agentRuns ? new Promise(() => {}) : Promise.resolve() }),
        stop: async () => {},
      };
    if (program !== "/usr/bin/emqx") return undefined;
    return {
      start: async () => {
        const environment = serviceEnvironment(this.root.files);
        if (this.emqxRuns) this.starting = this.startEmqx(environment);
        return { ended: new Promise(() => {}) };
      },
      stop: async () => this.stopEmqx(),
    };
  }

  private async startEmqx(environment: Record<string, string>): Promise<void> {
    const files = this.root.files.as("emqx");
    const settings = await readEmqxSettings(files, environment, installedEmqx(this.root)!);
    const emqx = await EmqxNode.start(settings, {
      address: this.system.address,
      addressOf: () => undefined,
      guard: () => true,
      disc: this.disc,
      files,
      ask: () => Promise.reject(new Error("no back end here")),
      reread: () => readEmqxSettings(files, profileOf(environment), settings.version),
      secondMs: 1000,
      log: () => {},
    });
    Object.defineProperties(emqx, {
      cluster: { value: () => this.cluster },
      channels: { get: () => this.connections() },
      leaveCluster: { value: async () => void (this.cluster = { running: [self], stopped: [] }) },
      forceLeave: {
        value: async (name: string) => {
          this.cluster.stopped = this.cluster.stopped.filter((each) => each !== name);
          return "removed";
        },
      },
    });
    this.emqx = emqx;
  }

  /** Whether an MQTT user, the first one if no other is meant, has this password. */
  letsIn(password: string, username = "mqtt"): boolean {
    const user = this.disc.databases.get(self)!.users[username];
    return user !== undefined && passwordFits(user, password);
  }

  /** Who is in EMQX's database, superusers with a star. */
  mqttUsers(): string[] {
    return Object.entries(this.disc.databases.get(self)!.users)
      .map(([name, { isSuperuser }]) => `${name}${isSuperuser ? "*" : ""}`)
      .sort();
  }

  async stopEmqx(): Promise<void> {
    await this.starting.catch(() => undefined);
    const { emqx } = this;
    this.emqx = undefined;
    await emqx?.stop();
  }

  override async dispose(): Promise<void> {
    await Promise.all([super.dispose(), this.stopEmqx()]);
  }
}

/** Machines of a test file: gone after the test that asked for them. */
export function testMachines() {
  const machines: Machine[] = [];
  const originals = new Map<string, Promise<Machine>>();
  afterEach(() => Promise.all(machines.splice(0).map((machine) => machine.dispose())));
  afterAll(async () => {
    for (const original of originals.values()) await (await original).dispose();
  });
  const keep = (machine: Machine) => (machines.push(machine), machine);
  const make = (changes: Partial<NodeUserDataArgs>) => {
    const args = nodeArgs(changes);
    return Machine.of(renderUserData(args), args.parameterPrefix);
  };
  return {
    /** An instance that gives up after a second, and thinks that one is long. */
    fresh: (changes: Partial<NodeUserDataArgs> = {}) =>
      keep(make({ readinessTimeoutSeconds: 1, ...changes })),
    /** A node that has booted and what `prepare`, always the same in a file, has done to it. */
    async booted(changes: Partial<NodeUserDataArgs> = {}, prepare?: (machine: Machine) => Promise<void>) {
      const key = JSON.stringify([changes, prepare?.toString()]);
      const boot = async () => {
        const machine = make({ readinessTimeoutSeconds: 300, ...changes });
        expect((await machine.boot()).console).toMatch(/node 0 is ready\n$/);
        await prepare?.(machine);
        return machine;
      };
      if (!originals.has(key)) originals.set(key, boot());
      return keep(await (await originals.get(key)!).copy());
    },
  };
}

/** What an aws, curl or other call that gets nowhere says. */
export const refused = (code: string, operation: string): Disturbance["how"] => ({
  fail: 254,
  words: `\nAn error occurred (${code}) when calling the ${operation} operation: refused`,
});
/** Standard output, and an exit code that tells nothing or the truth. */
export const saying =
  (out: string, code = 0): Disturbance["how"] =>
  () => ({ out: out === "" ? "" : `${out}\n`, code });

export const calls = (run: Run, start: string) => run.calls.filter((call) => call.startsWith(start));
