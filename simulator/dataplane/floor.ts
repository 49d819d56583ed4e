/** Who is where on this machine: which loopback address stands for which interface, and who may connect to whom. */
import { Socket } from "node:net";
import { ElbNode } from "./elb/environment";
import { LoopbackMap } from "./loopback";
import { InternetHost, Network, NetworkInterface } from "./reachability";
import {
  InstanceFacts,
  LoadBalancerFacts,
  NetworkLoadBalancerFacts,
  RegionSnapshot,
  SubnetFacts,
} from "./regionView";

/** Where clients on this machine come from unless told otherwise: an address reserved for documentation. */
const defaultClientAddress = "203.0.113.10";
const nobody: InternetHost = { kind: "internet", address: "192.0.2.1" };

export class Floor {
  network: Network;
  private subnets = new Map<string, SubnetFacts>();
  private byLoopback = new Map<string, NetworkInterface>();
  private readonly loopbacks = new LoopbackMap();
  private elbNodes = new Map<string, ElbNode[]>();
  /** Where Network Load Balancers dial from: they have judged what comes from there by its client's address. */
  private networkNodes = new Set<string>();

  constructor(private readonly clientAddresses: Record<string, string>) {
    this.network = new Network({
      vpcs: [],
      subnets: [],
      natGateways: [],
      securityGroups: [],
      instances: [],
      loadBalancers: [],
      networkLoadBalancers: [],
      targetGroups: [],
      certificates: [],
    });
  }

  async update(snapshot: RegionSnapshot): Promise<void> {
    await this.loopbacks.keep(snapshot.vpcs.map((vpc) => vpc.id));
    this.network = new Network(snapshot);
    this.subnets = new Map(snapshot.subnets.map((subnet) => [subnet.id, subnet]));
    this.byLoopback = new Map();
    for (const instance of snapshot.instances) {
      if (instance.state !== "terminated" && instance.privateIp !== "") {
        this.byLoopback.set(this.loopbackOf(instance), interfaceOf(instance));
      }
    }
    this.elbNodes = new Map();
    for (const loadBalancer of [...snapshot.loadBalancers, ...snapshot.networkLoadBalancers]) {
      const nodes = loadBalancer.interfaces.map((own) => this.elbNode(loadBalancer, own));
      this.elbNodes.set(loadBalancer.dnsName, nodes);
      nodes.forEach((node) => this.byLoopback.set(node.loopback, node.interface));
    }
    this.networkNodes = new Set(
      snapshot.networkLoadBalancers.flatMap((own) => this.nodesOf(own).map(({ loopback }) => loopback)),
    );
  }

  release(): Promise<void> {
    return this.loopbacks.release();
  }

  loopbackOf(instance: Pick<InstanceFacts, "vpcId" | "privateIp">): string {
    return this.loopbacks.loopbackOf(instance.vpcId, instance.privateIp);
  }

  zoneOf(subnetId: string): string {
    return this.subnets.get(subnetId)?.availabilityZone ?? "";
  }

  nodesOf(loadBalancer: { dnsName: string }): ElbNode[] {
    return this.elbNodes.get(loadBalancer.dnsName) ?? [];
  }

  hostBehind(remoteAddress: string): InternetHost | NetworkInterface {
    const known = this.byLoopback.get(remoteAddress);
    if (known !== undefined) {
      return known;
    }
    const slot = Number(remoteAddress.split(".")[1]);
    // An address of a VPC that belongs to nobody (any more) is nobody's.
    return slot >= 64 && slot <= 254 && this.clientAddresses[remoteAddress] === undefined
      ? nobody
      : { kind: "internet", address: this.clientAddresses[remoteAddress] ?? defaultClientAddress };
  }

  clientHosts(): InternetHost[] {
    const addresses = new Set([this.clientAddresses["127.0.0.1"] ?? defaultClientAddress]);
    Object.values(this.clientAddresses).forEach((address) => addresses.add(address));
    return [...addresses].map((address) => ({ kind: "internet", address }));
  }

  /** Why a connection just taken may not be, or undefined. */
  refusal(socket: Socket, target: NetworkInterface, port: number): string | undefined {
    if (this.networkNodes.has(socket.remoteAddress ?? "")) return undefined;
    const verdict = this.network.judge(this.hostBehind(socket.remoteAddress ?? ""), target, port);
    return verdict.allowed ? undefined : verdict.reason;
  }

  private elbNode(
    loadBalancer: LoadBalancerFacts | NetworkLoadBalancerFacts,
    own: { subnetId: string; privateIp: string },
  ): ElbNode {
    const zone = this.zoneOf(own.subnetId);
    return {
      zone,
      loopback: this.loopbacks.loopbackOf(loadBalancer.vpcId, own.privateIp),
      interface: {
        kind: "interface",
        label: `load balancer ${loadBalancer.name} in ${zone}`,
        vpcId: loadBalancer.vpcId,
        subnetId: own.subnetId,
        address: own.privateIp,
        securityGroupIds: loadBalancer.securityGroupIds,
        publicAddress: !loadBalancer.internal,
      },
    };
  }
}

export function interfaceOf(instance: InstanceFacts): NetworkInterface {
  return {
    kind: "interface",
    label: instance.name === instance.id ? instance.id : `${instance.id} (${instance.name})`,
    vpcId: instance.vpcId,
    subnetId: instance.subnetId,
    address: instance.privateIp,
    securityGroupIds: instance.securityGroupIds,
    publicAddress: false,
  };
}
