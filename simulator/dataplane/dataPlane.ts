/**
 * The data plane of a simulated region: machines, load balancers and the rules between them, kept in line with what the
 * region says it has. The region is asked for a snapshot after every change; everything here follows from the latest.
 */
import { createHash } from "node:crypto";
import { isIPv4, Socket } from "node:net";
import { EmqxNode } from "../machine/emqxNode";
import { FileSystem } from "../machine/fileSystem";
import { Disturbances } from "../machine/bash/outside";
import { Premises } from "../machine/bash/premises";
import { Turns } from "../machine/bash/turns";
import { Machine, MachinePhase, OperationResult } from "../machine/machine";
import { DiscContents } from "./cluster/database";
import type { TargetHealth } from "../health";
import { Clocks, ElbEnvironment, ElbCounters } from "./elb/environment";
import { LoadBalancer } from "./elb/loadBalancer";
import { Endpoint } from "./elb/listener";
import { expiredCopy } from "./expiredCertificate";
import { Floor, interfaceOf } from "./floor";
import { NetworkLoadBalancer } from "./nlb/networkLoadBalancer";
import {
  CertificateFacts,
  InstanceFacts,
  InstanceHealth,
  RegionSnapshot,
  RegionView,
  TargetGroupFacts,
} from "./regionView";

export interface DataPlaneOptions {
  /** Factors on configured times; 1 where left out. */
  clocks?: Partial<Clocks>;
  /** Which internet host a client's loopback address stands for; 127.0.0.1 is 203.0.113.10 unless given here. */
  clientAddresses?: Record<string, string>;
  /** One line for each thing that happens outside the machines (listeners, health, refused clients). */
  log?(line: string): void;
}

export interface MachineStatus {
  instanceId: string;
  name: string;
  zone: string;
  privateIp: string;
  /** Where its ports are on this machine. */
  loopback: string;
  phase: MachinePhase;
  problem?: string;
  silent: boolean;
  emqx?: {
    nodeName: string;
    version: string;
    connections: number;
    running: string[];
    stopped: string[];
    /** Why seeds are not joined. */
    problems: Record<string, string>;
  };
}

/** An MQTT client that is connected to a node. */
export interface ConnectedClient {
  clientId: string;
  nodeName: string;
  instanceId: string;
}

export interface LoadBalancerStatus {
  kind: "classic" | "network";
  name: string;
  dnsName: string;
  openConnections: number;
  counters: ElbCounters;
  health: Record<string, InstanceHealth & { lastProblem?: string }>;
}

export interface StandingFault {
  on: string;
  what: string;
}

/** What can be done to the machine room without the region knowing. Unknown ids are errors. */
export interface Faults {
  /** Cuts a machine's power: connections hang, nothing says goodbye. */
  killMachine(instanceId: string): Promise<void>;
  /** Boots a machine again: one that was killed, or any other. */
  restartMachine(instanceId: string): Promise<void>;
  /** `systemctl stop emqx` and `start` on a machine. */
  stopEmqx(instanceId: string): Promise<void>;
  startEmqx(instanceId: string): Promise<void>;
  /** Takes a zone off the network: its machines and the load balancers' interfaces in it. */
  cutZone(availabilityZone: string): Promise<void>;
  /** Puts it back; its machines boot again. */
  restoreZone(availabilityZone: string): Promise<void>;
  /** Serves an expired copy until the certificate is imported again or `renewCertificate`. */
  expireCertificate(arn: string): Promise<void>;
  renewCertificate(arn: string): Promise<void>;
  /** Lets a node's `/status` answer 503, or well again. */
  breakHealthCheck(instanceId: string, broken: boolean): Promise<void>;
}

const consoleLines = 2000;
const defaultClocks: Clocks = { healthChecks: 1, draining: 1, idle: 1, boot: 1, cluster: 1 };

/** Starts the data plane of a region; resolves when it has caught up with what the region has at the moment. */
export async function startDataPlane(view: RegionView, options: DataPlaneOptions = {}): Promise<DataPlane> {
  const plane = new DataPlane(view, options);
  try {
    await plane.reconcile();
  } catch (error) {
    await plane.stop();
    throw error;
  }
  return plane;
}

export class DataPlane implements ElbEnvironment {
  readonly faults: Faults;
  readonly clocks: Clocks;
  readonly rememberedPorts = new Map<string, number>();
  /** What goes wrong outside the machines' scripts, for who wants to see what they make of it. */
  readonly disturbances = new Disturbances();
  private readonly floor: Floor;
  private snapshot: RegionSnapshot;
  private instances = new Map<string, InstanceFacts>();
  private certificates = new Map<string, CertificateFacts>();
  private readonly machineById = new Map<string, Machine>();
  private readonly loadBalancerByDnsName = new Map<string, LoadBalancer | NetworkLoadBalancer>();
  private readonly consoles = new Map<string, string[]>();
  private readonly volumes = new Map<string, DiscContents>();
  private readonly premises = new Premises();
  private readonly turns = new Turns();
  /** Machines shutting down, by loopback address: the next one there waits for them. */
  private readonly leaving = new Map<string, Promise<void>>();
  private readonly goingOff = new Map<string, Promise<void>>();
  /** Those, which serve until EMQX stops. */
  private readonly shuttingDown = new Map<string, Machine>();
  private readonly expired = new Map<string, { original: string; copy: CertificateFacts }>();
  private readonly cutZones = new Set<string>();
  private readonly unsubscribe: () => void;
  private running: Promise<void> | undefined;
  private again = false;
  private stopping = false;
  private lastLine = "";

  constructor(
    private readonly view: RegionView,
    private readonly options: DataPlaneOptions,
  ) {
    this.clocks = { ...defaultClocks, ...options.clocks };
    this.floor = new Floor(options.clientAddresses ?? {});
    this.snapshot = view.snapshot();
    this.faults = this.makeFaults();
    this.unsubscribe = view.onChange(() => {
      for (const machine of this.machineById.values()) machine.stir();
      this.follow();
    });
  }

  /** Catches up with the region; changes that come meanwhile are caught up with too. */
  reconcile(): Promise<void> {
    if (this.running !== undefined) {
      this.again = true;
      return this.running;
    }
    this.running = this.catchUp().finally(() => (this.running = undefined));
    return this.running;
  }

  /** The same for who cannot wait; what goes wrong is in the log. */
  follow(): void {
    this.reconcile().catch((error: Error) =>
      this.log(`the data plane could not follow a change: ${error.stack}`),
    );
  }

  /** Where the load balancers' listeners answer on this machine. */
  endpoints(): Endpoint[] {
    return [...this.loadBalancerByDnsName.values()].flatMap((loadBalancer) => loadBalancer.endpoints());
  }

  machines(): MachineStatus[] {
    return [...this.machineById].flatMap(([id, machine]) => {
      const facts = this.instances.get(id);
      return facts === undefined ? [] : [this.machineStatus(machine, facts)];
    });
  }

  clients(): ConnectedClient[] {
    return [...this.machineById].flatMap(([instanceId, machine]) => {
      const nodeName = machine.settings?.nodeName ?? "";
      return machine.clientIds().map((clientId) => ({ clientId, nodeName, instanceId }));
    });
  }

  loadBalancers(): LoadBalancerStatus[] {
    return [...this.loadBalancerByDnsName.values()].map((door) => ({
      kind: door instanceof NetworkLoadBalancer ? "network" : "classic",
      name: door.facts.name,
      dnsName: door.facts.dnsName,
      openConnections: door.openConnections(),
      counters: door.counters,
      health: door.health(),
    }));
  }

  /** What `faults` have done and nobody has taken back, and what it was done to: an instance, a zone, a certificate. */
  standingFaults(): StandingFault[] {
    const machines = [...this.machineById].flatMap(([id, machine]): StandingFault[] => {
      const zone = this.zoneOf(id);
      if (machine.silent) {
        return zone !== undefined && this.cutZones.has(zone) ? [] : [{ on: id, what: "has no power" }];
      }
      if (machine.phase === "ready" && machine.runningEmqx === undefined) {
        return [{ on: id, what: "runs, with EMQX stopped" }];
      }
      return machine.runningEmqx?.health === "broken" ? [{ on: id, what: "answers 503 on /status" }] : [];
    });
    return [
      ...machines,
      ...[...this.cutZones].map((zone) => ({ on: zone, what: "is off the network" })),
      ...[...this.expired.keys()].map((arn) => ({ on: arn, what: "is served as an expired copy" })),
    ];
  }

  /** EMQX on an instance, for who operates it; undefined while it does not run. */
  emqx(instanceId: string): EmqxNode | undefined {
    return this.machineById.get(instanceId)?.runningEmqx;
  }

  /** The files of an instance's disk; undefined while it is not switched on. */
  files(instanceId: string): FileSystem | undefined {
    return this.machineById.get(instanceId)?.files;
  }

  /** Lines of an instance's console, also of one that is gone. */
  consoleLog(instanceId: string): string[] {
    return this.consoles.get(instanceId) ?? [];
  }

  /** Shuts a machine down cleanly; resolves when it is off, also when it is on its way already. */
  async shutDown(instanceId: string): Promise<void> {
    const machine = this.machineById.get(instanceId);
    if (machine !== undefined) {
      this.machineById.delete(instanceId);
      void this.leave(machine, this.instances.get(instanceId));
    }
    await this.goingOff.get(instanceId);
  }

  /** `emqx-node OPERATION ARGS…` on a machine. Unknown machines, and those that do not answer, are errors. */
  async operate(instanceId: string, operation: string, args: string[]): Promise<OperationResult> {
    return this.machine(instanceId).operate(operation, args);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.unsubscribe();
    await this.running?.catch(() => undefined);
    await Promise.all([...this.loadBalancerByDnsName.values()].map((loadBalancer) => loadBalancer.stop()));
    await Promise.all([...this.machineById.values()].map((machine) => machine.switchOff()));
    await Promise.all(this.leaving.values());
    this.premises.dispose();
    await this.floor.release();
  }

  // What load balancers ask for

  network() {
    return this.floor.network;
  }

  nodesOf(loadBalancer: { dnsName: string }) {
    return this.floor.nodesOf(loadBalancer).filter((node) => !this.cutZones.has(node.zone));
  }

  zonesOf(loadBalancer: { dnsName: string }): string[] {
    return this.floor.nodesOf(loadBalancer).map((node) => node.zone);
  }

  instance(instanceId: string) {
    const facts = this.instances.get(instanceId);
    const machine = this.machineById.get(instanceId) ?? this.shuttingDown.get(instanceId);
    if (facts === undefined || machine === undefined) {
      return undefined;
    }
    return {
      interface: interfaceOf(facts),
      zone: this.floor.zoneOf(facts.subnetId),
      loopback: this.floor.loopbackOf(facts),
      silent: machine.silent,
    };
  }

  certificate(arn: string): CertificateFacts | undefined {
    return this.expired.get(arn)?.copy ?? this.certificates.get(arn);
  }

  hostBehind(remoteAddress: string) {
    return this.floor.hostBehind(remoteAddress);
  }

  clientHosts() {
    return this.floor.clientHosts();
  }

  setHealth(loadBalancer: LoadBalancer["facts"], instanceId: string, health: InstanceHealth): void {
    this.view.setInstanceHealth(loadBalancer, instanceId, health);
  }

  setTargetHealth(group: TargetGroupFacts, instanceId: string, health: TargetHealth | undefined): void {
    this.view.setTargetHealth(group, instanceId, health);
  }

  log(line: string): void {
    if (line !== this.lastLine) {
      this.lastLine = line;
      this.options.log?.(line);
    }
  }

  // Keeping up

  private async catchUp(): Promise<void> {
    do {
      this.again = false;
      // Operations of one update come in bursts: one look at the region for each burst is enough.
      await new Promise((resolve) => setImmediate(resolve));
      if (!this.stopping) {
        await this.followSnapshot();
      }
    } while (this.again && !this.stopping);
  }

  private async followSnapshot(): Promise<void> {
    this.snapshot = this.view.snapshot();
    await this.floor.update(this.snapshot);
    const before = this.instances;
    this.instances = new Map(this.snapshot.instances.map((instance) => [instance.id, instance]));
    this.certificates = new Map(
      this.snapshot.certificates.map((certificate) => [certificate.arn, certificate]),
    );
    this.forgetReplacedCertificates();
    this.followInstances(before);
    await this.followLoadBalancers();
  }

  private forgetReplacedCertificates(): void {
    for (const [arn, { original }] of this.expired) {
      if (this.certificates.get(arn)?.certificatePem !== original) {
        this.expired.delete(arn);
      }
    }
  }

  private followInstances(before: Map<string, InstanceFacts>): void {
    for (const [id, machine] of this.machineById) {
      const state = this.instances.get(id)?.state;
      if (state !== "running" && state !== "pending") {
        this.machineById.delete(id);
        void this.leave(machine, this.instances.get(id) ?? before.get(id));
      }
    }
    for (const id of before.keys()) {
      this.discardDisk(id);
    }
    for (const facts of this.instances.values()) {
      if (facts.state === "running" && !this.machineById.has(facts.id)) {
        this.switchOn(facts);
      }
    }
  }

  private async followLoadBalancers(): Promise<void> {
    const { loadBalancers, networkLoadBalancers, targetGroups } = this.snapshot;
    const names = new Set([...loadBalancers, ...networkLoadBalancers].map(({ dnsName }) => dnsName));
    for (const [dnsName, loadBalancer] of this.loadBalancerByDnsName) {
      if (!names.has(dnsName)) {
        this.loadBalancerByDnsName.delete(dnsName);
        await loadBalancer.stop();
      }
    }
    const known = <D extends LoadBalancer | NetworkLoadBalancer>(dnsName: string, make: () => D) => {
      const door = (this.loadBalancerByDnsName.get(dnsName) as D | undefined) ?? make();
      this.loadBalancerByDnsName.set(dnsName, door);
      return door;
    };
    for (const facts of loadBalancers) {
      await known(facts.dnsName, () => new LoadBalancer(facts, this)).update(facts);
    }
    for (const facts of networkLoadBalancers) {
      const door = known(facts.dnsName, () => new NetworkLoadBalancer(facts, this));
      await door.update(facts);
      door.updateGroups(targetGroups);
    }
  }

  private switchOn(facts: InstanceFacts): void {
    const address = this.floor.loopbackOf(facts);
    const present = () => this.instances.get(facts.id) ?? facts;
    const machine: Machine = new Machine(facts.id, {
      facts: present,
      address,
      addressOf: (privateIp) => this.addressOf(facts.vpcId, privateIp),
      guard: (socket, port) => this.guard(machine, present(), socket, port),
      egress: (host, port) =>
        this.floor.network.judgeEgress(
          interfaceOf(present()),
          { kind: "internet", address: internetAddress(host) },
          port,
        ),
      role: this.view.asRole(facts.id),
      isFormatted: (volumeId) => this.view.isFormatted(volumeId),
      formatVolume: (volumeId) => this.view.formatVolume(volumeId),
      failsBoot: (prefix, node) => this.view.failsBoot?.(prefix, node) ?? false,
      premises: this.premises,
      volumes: this.volumes,
      turns: this.turns,
      disturbances: this.disturbances,
      timeOfDay: () => this.view.now(),
      bootClock: this.clocks.boot,
      clusterClock: this.clocks.cluster,
      console: (line) => this.writeConsole(facts.id, line),
    });
    machine.silent = this.cutZones.has(this.floor.zoneOf(facts.subnetId));
    this.machineById.set(facts.id, machine);
    machine.start(this.leaving.get(address) ?? Promise.resolve());
  }

  private leave(machine: Machine, facts: InstanceFacts | undefined): Promise<void> {
    const address = facts === undefined ? machine.instanceId : this.floor.loopbackOf(facts);
    const before = this.leaving.get(address) ?? Promise.resolve();
    this.shuttingDown.set(machine.instanceId, machine);
    const gone = Promise.all([before, machine.shutDown()]).then(() => {
      if (this.shuttingDown.get(machine.instanceId) === machine) {
        this.shuttingDown.delete(machine.instanceId);
      }
      for (const [map, key] of [
        [this.leaving, address],
        [this.goingOff, machine.instanceId],
      ] as const) {
        if (map.get(key) === gone) {
          map.delete(key);
        }
      }
      this.discardDisk(machine.instanceId);
    });
    this.leaving.set(address, gone);
    this.goingOff.set(machine.instanceId, gone);
    return gone;
  }

  /** An instance's own disk ends with it. */
  private discardDisk(instanceId: string): void {
    const state = this.instances.get(instanceId)?.state ?? "terminated";
    if (state === "terminated" && !this.goingOff.has(instanceId) && !this.machineById.has(instanceId)) {
      this.premises.discard(instanceId);
    }
  }

  private addressOf(vpcId: string, privateIp: string): string | undefined {
    const somebody = this.snapshot.instances.some(
      (instance) => instance.vpcId === vpcId && instance.privateIp === privateIp,
    );
    return somebody ? this.floor.loopbackOf({ vpcId, privateIp }) : undefined;
  }

  /**
   * A connection has reached a machine's port. Security groups and routes are judged by AWS's network, not by the machine,
   * so a machine without power is as closed to strangers as any other. AWS drops the packets of a connection that is not
   * allowed, here it is reset, so that nobody waits; one that is allowed hangs on a machine without power.
   */
  private guard(machine: Machine, facts: InstanceFacts, socket: Socket, port: number): boolean {
    const refusal = this.floor.refusal(socket, interfaceOf(facts), port);
    if (refusal !== undefined) {
      this.log(`connection to ${facts.id} dropped: ${refusal}`);
      socket.resetAndDestroy();
      return false;
    }
    if (machine.silent) {
      socket.resume();
      return false;
    }
    return true;
  }

  private writeConsole(instanceId: string, text: string): void {
    const line = `${new Date().toISOString()} ${text}`;
    const lines = this.consoles.get(instanceId) ?? [];
    lines.push(line);
    if (lines.length > consoleLines) {
      lines.shift();
    }
    this.consoles.set(instanceId, lines);
    this.view.consoleLine?.(instanceId, line);
  }

  private machineStatus(machine: Machine, facts: InstanceFacts): MachineStatus {
    const { settings } = machine;
    return {
      instanceId: facts.id,
      name: facts.name,
      zone: this.floor.zoneOf(facts.subnetId),
      privateIp: facts.privateIp,
      loopback: this.floor.loopbackOf(facts),
      phase: machine.phase,
      ...(machine.problem === undefined ? {} : { problem: machine.problem }),
      silent: machine.silent,
      ...(settings === undefined
        ? {}
        : {
            emqx: {
              nodeName: settings.nodeName,
              version: settings.version,
              connections: machine.connections,
              ...machine.cluster(),
              problems: machine.clusterProblems(),
            },
          }),
    };
  }

  // Faults

  private makeFaults(): Faults {
    return {
      killMachine: async (id) => this.silence(this.machine(id)),
      restartMachine: (id) => this.restart(id),
      stopEmqx: (id) => this.machine(id).stopEmqxUnit(),
      startEmqx: (id) => this.machine(id).startEmqxUnit(),
      cutZone: async (zone) => {
        this.cutZones.add(this.knownZone(zone));
        await Promise.all(this.machinesIn(zone).map((id) => this.silence(this.machine(id))));
      },
      restoreZone: async (zone) => {
        this.cutZones.delete(this.knownZone(zone));
        await Promise.all(this.machinesIn(zone).map((id) => this.restart(id)));
      },
      expireCertificate: async (arn) => {
        const certificate = this.certificates.get(arn);
        if (certificate === undefined) {
          throw new Error(
            `there is no certificate ${arn}; there are: ${[...this.certificates.keys()].join(", ")}`,
          );
        }
        this.expired.set(arn, { original: certificate.certificatePem, copy: await expiredCopy(certificate) });
        await this.reconcile();
      },
      renewCertificate: async (arn) => {
        this.expired.delete(arn);
        await this.reconcile();
      },
      breakHealthCheck: async (id, broken) => this.machine(id).breakHealthCheck(broken),
    };
  }

  private machine(instanceId: string): Machine {
    const machine = this.machineById.get(instanceId);
    if (machine === undefined) {
      throw new Error(
        `there is no running machine ${instanceId}; there are: ${[...this.machineById.keys()].join(", ") || "none"}`,
      );
    }
    return machine;
  }

  private knownZone(zone: string): string {
    const zones = new Set(this.snapshot.subnets.map((subnet) => subnet.availabilityZone));
    if (!zones.has(zone)) {
      throw new Error(`there is no subnet in zone ${zone}; zones in use: ${[...zones].join(", ") || "none"}`);
    }
    return zone;
  }

  private zoneOf(instanceId: string): string | undefined {
    const facts = this.instances.get(instanceId);
    return facts && this.floor.zoneOf(facts.subnetId);
  }

  private machinesIn(zone: string): string[] {
    return [...this.machineById.keys()].filter((id) => this.zoneOf(id) === zone);
  }

  private async silence(machine: Machine): Promise<void> {
    await machine.losePower();
    this.loadBalancerByDnsName.forEach((loadBalancer) => loadBalancer.silence(machine.instanceId));
  }

  private async restart(instanceId: string): Promise<void> {
    const machine = this.machine(instanceId);
    const facts = this.instances.get(instanceId);
    this.machineById.delete(instanceId);
    void this.leave(machine, facts);
    this.loadBalancerByDnsName.forEach((loadBalancer) => loadBalancer.unsilence(instanceId));
    if (facts !== undefined) {
      this.switchOn(facts);
    }
  }
}

/** Names on the internet are not resolved: each stands for one address out of a block reserved for documentation. */
function internetAddress(host: string): string {
  return isIPv4(host) ? host : `198.51.100.${1 + (createHash("sha256").update(host).digest()[0]! % 254)}`;
}
