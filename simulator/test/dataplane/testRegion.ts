/** A region of the data plane tests, put together by hand: a VPC as the deployment makes it, every fact changeable. */
import { operations, operationsParameterText } from "../../../components/emqx/operations";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, IClientOptions, MqttClient } from "mqtt";
import { ownRules } from "../../../components/emqx/acl";
import { ClusterPorts } from "../../../components/emqx/releases";
import { NodeUserDataArgs, renderUserData } from "../../../components/emqx/userData";
import { aclOf } from "../../../components/nodes/userData";
import { DataPlane, DataPlaneOptions, startDataPlane } from "../../dataplane/dataPlane";
import { EmqxNode } from "../../machine/emqxNode";
import { TestRole } from "../role";
import {
  CertificateFacts,
  InstanceFacts,
  InstanceHealth,
  LoadBalancerFacts,
  NetworkLoadBalancerFacts,
  RegionSnapshot,
  RegionView,
  RuleFacts,
  TargetGroupFacts,
} from "../../dataplane/regionView";
import type { TargetHealth } from "../../health";
import { eventually } from "../../../test/waiting";

export const prefix = "/emqx/test/stack/emqx-nodes";
export const mqttPassword = "mqtt-password-1";
export const certificateArn = "arn:aws:acm:eu-west-1:123456789012:certificate/1";

let regions = 0;

export interface TestRegionOptions {
  nodes?: number;
  zones?: number;
  /** Changes the user data of single nodes. */
  userData?: (args: NodeUserDataArgs, node: number) => NodeUserDataArgs;
  /** Changes the snapshot before anything starts. */
  prepare?: (region: TestRegion) => void;
  plane?: DataPlaneOptions;
}

const fast = { healthChecks: 0.01, draining: 0.01, idle: 1, boot: 0.01, cluster: 0.02 };

export class TestRegion implements RegionView {
  readonly state: RegionSnapshot;
  private readonly first: RegionSnapshot;
  /** Of every instance. */
  readonly role = new TestRole();
  readonly parameters = this.role.parameters;
  readonly objects = this.role.objects;
  readonly metrics = this.role.metrics;
  readonly health = this.role.health;
  readonly refusedParameters = this.role.refusedParameters;
  readonly formatted = new Set<string>();
  timeOfDay = new Date("2026-01-01T05:30:00Z");
  readonly lines: string[] = [];
  plane!: DataPlane;
  private readonly listeners = new Set<() => void>();
  private readonly clients: MqttClient[] = [];

  constructor(options: TestRegionOptions) {
    this.state = makeState(++regions, options);
    this.first = structuredClone(this.state);
    const secrets = {
      cookie: `C${"0".repeat(40)}`,
      "dashboard-password": "dashboard-1",
      "mqtt-password": mqttPassword,
    };
    for (const [name, value] of Object.entries(secrets)) {
      this.parameters.set(`${prefix}/${name}`, value);
    }
    this.parameters.set(`${prefix}/acl`, ownRules);
    this.parameters.set(`${prefix}/secret-config`, "# none\n");
    this.parameters.set(`${prefix}/load-balancers`, "emqx-elb");
    const members = this.state.instances.map((instance) => instance.privateIp).join(" ");
    this.parameters.set(`${prefix}/cluster`, `MEMBERS='${members}'\nDRAIN_SECONDS='4'\n`);
    this.parameters.set(`${prefix}/operations/list`, operationsParameterText());
    for (const [name, script] of Object.entries(operations)) {
      this.parameters.set(`${prefix}/operations/${name}`, script);
    }
    this.state.instances.forEach((_, node) => this.parameters.set(`${prefix}/nodes/${node}/ready`, "never"));
    options.prepare?.(this);
  }

  static async start(options: TestRegionOptions = {}): Promise<TestRegion> {
    const region = new TestRegion(options);
    region.plane = await startDataPlane(region, {
      log: (line) => region.lines.push(line),
      ...options.plane,
      clocks: { ...fast, ...options.plane?.clocks },
    });
    return region;
  }

  /** The machines go on with EMQX, without clients and load balancer. */
  async clear(): Promise<void> {
    await this.disconnect();
    await this.change((state) => (state.loadBalancers = state.networkLoadBalancers = []));
    const stopped = this.plane.standingFaults().filter(({ what }) => /EMQX stopped/.test(what));
    for (const { on } of stopped) await this.plane.faults.startEmqx(on);
  }

  /** After `clear`: all is as at a start with these options, but the machines go on. */
  async startAgain({ prepare, plane }: TestRegionOptions): Promise<void> {
    Object.assign(this.state, structuredClone(this.first));
    Object.assign(this.plane.clocks, { ...fast, ...plane?.clocks });
    this.plane.rememberedPorts.clear();
    this.health.clear();
    this.role.targetHealth.clear();
    this.lines.length = 0;
    prepare?.(this);
    await this.change(() => {});
    await eventually("the clients of another test are gone", () =>
      this.plane.machines().every(({ emqx }) => emqx?.connections === 0),
    );
  }

  // RegionView

  now(): Date {
    return this.timeOfDay;
  }

  snapshot(): RegionSnapshot {
    return structuredClone(this.state);
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  setInstanceHealth(_loadBalancer: LoadBalancerFacts, instanceId: string, health: InstanceHealth): void {
    this.health.set(instanceId, health);
  }

  setTargetHealth({ arn }: TargetGroupFacts, instanceId: string, health: TargetHealth | undefined): void {
    if (health === undefined) this.role.targetHealth.delete(`${arn} ${instanceId}`);
    else this.role.targetHealth.set(`${arn} ${instanceId}`, health);
  }

  asRole() {
    return this.role;
  }

  isFormatted(volumeId: string): boolean {
    return this.formatted.has(volumeId);
  }

  formatVolume(volumeId: string): void {
    this.formatted.add(volumeId);
  }

  // What tests do

  get loadBalancer(): LoadBalancerFacts {
    return this.state.loadBalancers[0]!;
  }

  get network(): NetworkLoadBalancerFacts {
    return this.state.networkLoadBalancers[0]!;
  }

  get targetGroup(): TargetGroupFacts {
    return this.state.targetGroups[0]!;
  }

  targetHealth(node: number): TargetHealth["state"] | undefined {
    return this.role.targetHealth.get(`${this.targetGroup.arn} ${this.instance(node).id}`)?.state;
  }

  /** A Network Load Balancer in the Classic ELB's place, with one target group for its two listeners. */
  networkFront(): void {
    const [classic] = this.state.loadBalancers.splice(0);
    const { healthCheck, instanceIds, listeners, idleTimeoutSeconds, ...place } = classic!;
    const arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/emqx-1883/0123456789abcdef";
    this.state.targetGroups.push({
      ...{ arn, region: "eu-west-1", name: "emqx-1883", port: 1883, healthCheck, instanceIds },
      ...{ preservesClientAddress: true, proxyProtocol: false },
      ...{ deregistrationDelaySeconds: 300, terminatesDeregistered: false },
    });
    const tls = { protocol: "TLS", tlsPolicy: "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09" } as const;
    this.state.networkLoadBalancers.push({
      ...place,
      name: "emqx-nlb",
      listeners: listeners.map((listener) => ({
        ...listener,
        ...(listener.protocol === "SSL" ? tls : {}),
        targetGroupArn: arn,
        idleTimeoutSeconds,
      })),
    });
    const cluster = this.parameters.get(`${prefix}/cluster`)!.replace(/TARGET_GROUPS.*\n/, "");
    this.parameters.set(`${prefix}/cluster`, `${cluster}TARGET_GROUPS='${arn}'\n`);
  }

  instance(node: number): InstanceFacts {
    return this.state.instances[node]!;
  }

  group(name: "elb" | "nodes") {
    return this.state.securityGroups.find((group) => group.id === `sg-${name}`)!;
  }

  /** Changes facts and waits until the data plane has followed. */
  async change(mutate: (state: RegionSnapshot) => void): Promise<void> {
    mutate(this.state);
    this.listeners.forEach((listener) => listener());
    await this.plane.reconcile();
  }

  /** A new instance in an old one's place, as a replacement makes it. */
  async replace(node: number): Promise<void> {
    const old = this.instance(node);
    await this.change((state) => {
      state.loadBalancers[0]!.instanceIds = state.loadBalancers[0]!.instanceIds.filter((id) => id !== old.id);
    });
    await this.change(() => (old.state = "terminated"));
    await this.plane.shutDown(old.id);
    await this.change((state) => {
      state.instances[node] = { ...old, id: `${old.id}x`, state: "running" };
      state.loadBalancers[0]!.instanceIds.push(`${old.id}x`);
    });
    await this.ready(node);
  }

  async ready(node: number): Promise<void> {
    await eventually(
      `node ${node} is ready`,
      () => {
        const machine = this.plane.machines().find((status) => status.instanceId === this.instance(node).id);
        if (machine?.phase === "failed") {
          throw new Error(this.plane.consoleLog(this.instance(node).id).join("\n"));
        }
        return machine?.phase === "ready";
      },
      60,
    );
  }

  async allReady(): Promise<void> {
    await Promise.all(this.state.instances.map((_, node) => this.ready(node)));
    await eventually("all nodes are in service", () =>
      this.state.instances.every((instance, node) =>
        this.state.networkLoadBalancers.length > 0
          ? this.targetHealth(node) === "healthy"
          : this.health.get(instance.id)?.state === "InService",
      ),
    );
  }

  console(node: number): string {
    return this.plane.consoleLog(this.instance(node).id).join("\n");
  }

  machine(node: number) {
    return this.plane.machines().find((status) => status.instanceId === this.instance(node).id)!;
  }

  /** EMQX on a node. */
  emqx(node: number): EmqxNode {
    return this.plane.emqx(this.instance(node).id)!;
  }

  port(loadBalancerPort: number): number {
    const endpoint = this.plane
      .endpoints()
      .find((candidate) => candidate.loadBalancerPort === loadBalancerPort);
    if (endpoint === undefined || endpoint.problem !== undefined) {
      throw new Error(
        `listener ${loadBalancerPort} does not answer: ${endpoint?.problem ?? "there is none"}`,
      );
    }
    return endpoint.port;
  }

  url(scheme: "mqtt" | "mqtts" | "ws" | "wss"): string {
    const port = this.port({ mqtt: 1883, mqtts: 8883, ws: 8083, wss: 8084 }[scheme]);
    return `${scheme}://127.0.0.1:${port}${scheme.startsWith("ws") ? "/mqtt" : ""}`;
  }

  async client(
    scheme: "mqtt" | "mqtts" | "ws" | "wss" = "mqtt",
    options: IClientOptions = {},
  ): Promise<MqttClient> {
    return this.clientAt(this.url(scheme), options);
  }

  clientAt(url: string, options: IClientOptions = {}): Promise<MqttClient> {
    const tls = { ca: testCertificate().certificatePem, servername: "mqtt.example.org" };
    return this.connected(connect(url, { ...clientDefaults, ...tls, wsOptions: tls, ...options }));
  }

  /** A client at a node itself, past the load balancer; needs `openNodes`. */
  nodeClient(node: number, options: IClientOptions = {}): Promise<MqttClient> {
    const host = this.machine(node).loopback;
    const open = () => connectSocket({ host, port: 1883, localAddress: host });
    return this.connected(new MqttClient(open, { ...clientDefaults, ...options }));
  }

  /** A request to a node's management port from the machine itself; needs `openNodes`. */
  nodeRequest(
    node: number,
    method: string,
    path: string,
    options: { headers?: Record<string, string>; body?: string } = {},
  ): Promise<{ status: number; body: string }> {
    const host = this.machine(node).loopback;
    const { headers = {}, body = "" } = options;
    return new Promise((resolve, reject) => {
      const asked = request(
        { host, port: 18083, localAddress: host, method, path, headers, agent: false },
        (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => (text += chunk.toString()));
          response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
        },
      );
      asked.on("error", reject);
      asked.end(body);
    });
  }

  private connected(client: MqttClient): Promise<MqttClient> {
    this.clients.push(client);
    const received: Received[] = [];
    inboxes.set(client, received);
    client.on("message", (topic, payload, { qos, retain, properties }) => {
      received.push({ topic, text: payload.toString(), qos, retain, properties });
    });
    return new Promise((resolve, reject) => {
      client.once("connect", () => resolve(client));
      client.on("error", reject);
      client.once("close", () => reject(new Error("closed before it was connected")));
    });
  }

  private async disconnect(): Promise<void> {
    await Promise.all(this.clients.splice(0).map((client) => client.endAsync(true)));
  }

  async stop(): Promise<void> {
    await this.disconnect();
    await this.plane.stop();
  }
}

/**
 * `start` for the tests of a file, one after the other: those that want the same machines share them, because boots are most of
 * such a test. What EMQX keeps outlives a test.
 */
export function sharedRegion(): (options?: TestRegionOptions) => Promise<TestRegion> {
  let region: TestRegion | undefined;
  let machines = "";
  afterEach(() => region?.clear());
  afterAll(() => region?.stop());
  return async (options = {}) => {
    const { instances } = new TestRegion({ ...options, prepare: undefined }).state;
    const wanted = JSON.stringify(instances.map(({ subnetId, userData }) => [subnetId, userData]));
    // A test that failed may have left a fault.
    if (region !== undefined && machines === wanted && region.plane.standingFaults().length === 0) {
      await region.startAgain(options);
    } else {
      await region?.stop();
      region = await TestRegion.start(options);
      machines = wanted;
    }
    await region.allReady();
    return region;
  };
}

const clientDefaults: IClientOptions = {
  username: "emqx",
  password: mqttPassword,
  reconnectPeriod: 0,
  connectTimeout: 3000,
};

/** Lets nodes reach each other's, and their own, MQTT and management ports. */
export function openNodes(test: TestRegion): void {
  for (const port of [1883, 18083]) {
    test.group("nodes").ingress.push(rule(port, "sg-nodes"));
    test.group("nodes").egress.push(rule(port, "sg-nodes"));
  }
}

interface Received {
  topic: string;
  text: string;
  qos: number;
  retain: boolean;
  properties: unknown;
}

const inboxes = new WeakMap<MqttClient, Received[]>();

/** All that a client has received since it began to connect. */
export function inbox(client: MqttClient): Received[] {
  return inboxes.get(client)!;
}

export function rule(port: number, source: string, toPort = port): RuleFacts {
  const target = source.startsWith("sg-") ? { referencedGroupId: source } : { cidrIpv4: source };
  return { protocol: "tcp", fromPort: port, toPort, ...target };
}

let certificate: CertificateFacts | undefined;

/** One key pair for all tests of a file; RSA, as a Classic ELB wants. */
export function testCertificate(): CertificateFacts {
  certificate ??= makeCertificate("mqtt.example.org");
  return certificate;
}

export function makeCertificate(name: string, arn = certificateArn): CertificateFacts {
  const folder = mkdtempSync(join(tmpdir(), "certificate-"));
  try {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
    const how = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-keyout", key, "-out", cert];
    execFileSync("openssl", ["req", ...how, ...subject], { stdio: "pipe" });
    return {
      arn,
      certificatePem: readFileSync(cert, "utf8"),
      privateKeyPem: readFileSync(key, "utf8"),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function makeState(serial: number, options: TestRegionOptions): RegionSnapshot {
  const vpcId = `vpc-${process.pid}-${serial}`;
  const nodes = options.nodes ?? 2;
  const zones = ["a", "b", "c"].slice(0, options.zones ?? 2);
  const seeds = Array.from({ length: nodes }, (_, node) => addressOf(node, zones.length));
  const group = (id: string, ingress: RuleFacts[], egress: RuleFacts[]) => ({ id, vpcId, ingress, egress });
  const cluster = [4369, 5369, 6369].map((port) => rule(port, "sg-nodes"));
  const served = [1883, 8083, 18083];
  return {
    vpcs: [{ id: vpcId, cidrBlock: "192.168.0.0/16", internetGatewayId: "igw-1" }],
    subnets: zones.flatMap((zone, index) => [
      {
        id: `subnet-private-${zone}`,
        vpcId,
        cidrBlock: `192.168.${index}.0/24`,
        availabilityZone: `eu-west-1${zone}`,
        routes: [local(), { destinationCidrBlock: "0.0.0.0/0", target: "nat-1" }],
      },
      {
        id: `subnet-public-${zone}`,
        vpcId,
        cidrBlock: `192.168.${128 + index}.0/24`,
        availabilityZone: `eu-west-1${zone}`,
        routes: [local(), { destinationCidrBlock: "0.0.0.0/0", target: "igw-1" }],
      },
    ]),
    natGateways: [{ id: "nat-1", subnetId: "subnet-public-a" }],
    securityGroups: [
      group(
        "sg-elb",
        [1883, 8883, 8083, 8084].map((port) => rule(port, "0.0.0.0/0")),
        served.map((port) => rule(port, "sg-nodes")),
      ),
      group(
        "sg-nodes",
        [...served.map((port) => rule(port, "sg-elb")), ...cluster],
        [...cluster, rule(443, "0.0.0.0/0")],
      ),
    ],
    instances: seeds.map((privateIp, node) => ({
      id: `i-${node}`,
      name: `emqx-${node}`,
      region: "eu-west-1",
      state: "running",
      vpcId,
      subnetId: `subnet-private-${zones[node % zones.length]}`,
      privateIp,
      securityGroupIds: ["sg-nodes"],
      userData: renderUserData(nodeArgs(node, seeds, options)),
      architecture: "arm64",
      volumes: [{ device: "/dev/sdf", volumeId: `vol-${node}` }],
    })),
    loadBalancers: [
      {
        name: "emqx-elb",
        region: "eu-west-1",
        dnsName: `emqx-elb-${serial}.eu-west-1.elb.amazonaws.com`,
        internal: false,
        vpcId,
        interfaces: zones.map((zone, index) => ({
          subnetId: `subnet-public-${zone}`,
          privateIp: `192.168.${128 + index}.200`,
        })),
        securityGroupIds: ["sg-elb"],
        listeners: [
          { loadBalancerPort: 1883, protocol: "TCP", instancePort: 1883, instanceProtocol: "TCP" },
          {
            loadBalancerPort: 8883,
            protocol: "SSL",
            instancePort: 1883,
            instanceProtocol: "TCP",
            certificateArn,
            tlsPolicy: "ELBSecurityPolicy-TLS-1-2-2017-01",
          },
        ],
        healthCheck: {
          target: "HTTP:18083/status",
          intervalSeconds: 10,
          timeoutSeconds: 5,
          healthyThreshold: 2,
          unhealthyThreshold: 2,
        },
        crossZone: true,
        idleTimeoutSeconds: 450,
        drainingTimeoutSeconds: 300,
        proxyProtocolPorts: [],
        instanceIds: seeds.map((_, node) => `i-${node}`),
      },
    ],
    networkLoadBalancers: [],
    targetGroups: [],
    certificates: [testCertificate()],
  };
}

function local() {
  return { destinationCidrBlock: "192.168.0.0/16", target: "local" };
}

function addressOf(node: number, zones: number): string {
  return `192.168.${node % zones}.${10 + node}`;
}

function nodeArgs(node: number, seeds: string[], options: TestRegionOptions): NodeUserDataArgs {
  const args: NodeUserDataArgs = {
    nodeNumber: node,
    privateIp: seeds[node]!,
    seeds,
    version: "5.8.9",
    architecture: "arm64",
    clusterPorts: ClusterPorts.Documented,
    clusterName: "emqxcl",
    cookieVersion: 1,
    listeners: { ws: true },
    proxyProtocol: false,
    anonymousAccess: false,
    mqttUsername: "emqx",
    parameterPrefix: prefix,
    hasLicense: false,
    loadBalancerCount: 1,
    region: "eu-west-1",
    readinessTimeoutSeconds: 900,
  };
  const given = options.userData?.(args, node) ?? args;
  return { ...given, hasAcl: aclOf({ ...given, acl: undefined, emqxVersion: given.version }) !== undefined };
}
