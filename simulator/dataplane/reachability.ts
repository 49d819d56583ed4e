/**
 * May this connection be opened? The answer AWS's network gives from routes, gateways and security groups, as a pure
 * function of a snapshot. Security groups are stateful: only the opening of a connection is judged, answers and open
 * connections are not.
 */
import { blockContains, blockRange } from "./addresses";
import {
  NatGatewayFacts,
  RegionSnapshot,
  RouteFacts,
  RuleFacts,
  SecurityGroupFacts,
  SubnetFacts,
  VpcFacts,
} from "./regionView";

/** A network interface inside a VPC: of an instance, or of a load balancer in one of its subnets. */
export interface NetworkInterface {
  kind: "interface";
  /** How to call it in a message, for example `i-0abc (emqx-0)`. */
  label: string;
  vpcId: string;
  subnetId: string;
  address: string;
  securityGroupIds: string[];
  /** Whether AWS gave it an address on the internet. */
  publicAddress: boolean;
}

/** A host on the internet. */
export interface InternetHost {
  kind: "internet";
  address: string;
}

export type Verdict = { allowed: true } | { allowed: false; reason: string };

const allowed: Verdict = { allowed: true };

function denied(reason: string): Verdict {
  return { allowed: false, reason };
}

export class Network {
  private readonly vpcs: Map<string, VpcFacts>;
  private readonly subnets: Map<string, SubnetFacts>;
  private readonly groups: Map<string, SecurityGroupFacts>;
  private readonly natGateways: Map<string, NatGatewayFacts>;

  constructor(snapshot: RegionSnapshot) {
    this.vpcs = byId(snapshot.vpcs);
    this.subnets = byId(snapshot.subnets);
    this.groups = byId(snapshot.securityGroups);
    this.natGateways = byId(snapshot.natGateways);
  }

  /** Judges a new TCP connection to an interface. */
  judge(from: NetworkInterface | InternetHost, to: NetworkInterface, port: number): Verdict {
    if (from.kind === "interface") {
      if (from.vpcId !== to.vpcId) {
        return denied(
          `${from.label} is in ${from.vpcId} and ${to.label} in ${to.vpcId}: no route between them`,
        );
      }
      return this.both(this.leaves(from, to, port), () => this.enters(from, to, port));
    }
    const vpc = this.vpcs.get(to.vpcId);
    if (vpc !== undefined && blockContains(vpc.cidrBlock, from.address)) {
      return this.enters(from, to, port);
    }
    return this.both(this.facesInternet(from, to), () => this.enters(from, to, port));
  }

  /** Judges a new TCP connection from an interface to a host on the internet. */
  judgeEgress(from: NetworkInterface, to: InternetHost, port: number): Verdict {
    const leaves = this.leaves(from, to, port);
    if (!leaves.allowed) {
      return leaves;
    }
    const route = this.routeFor(from.subnetId, to.address);
    if (route === undefined) {
      return denied(`subnet ${from.subnetId} has no route to ${to.address}`);
    }
    const vpc = this.vpcs.get(from.vpcId);
    if (route.target.startsWith("igw-")) {
      if (vpc?.internetGatewayId !== route.target) {
        return denied(
          `route ${route.destinationCidrBlock} of subnet ${from.subnetId} is a black hole: ${route.target}`,
        );
      }
      return from.publicAddress
        ? allowed
        : denied(
            `${from.label} has no public address, so the internet gateway ${route.target} drops its packets`,
          );
    }
    if (route.target.startsWith("nat-")) {
      return this.throughNat(route.target, from, to);
    }
    return denied(
      `the route of subnet ${from.subnetId} to ${to.address} leads to ${route.target}, not to the internet`,
    );
  }

  private throughNat(natGatewayId: string, from: NetworkInterface, to: InternetHost): Verdict {
    const nat = this.natGateways.get(natGatewayId);
    if (nat === undefined) {
      return denied(
        `the route of subnet ${from.subnetId} to ${to.address} is a black hole: ${natGatewayId} is gone`,
      );
    }
    const onward = this.routeFor(nat.subnetId, to.address);
    if (!onward?.target.startsWith("igw-") || !this.gatewayAttached(from.vpcId, onward)) {
      return denied(`${natGatewayId} in ${nat.subnetId} has no way to the internet itself`);
    }
    return allowed;
  }

  private gatewayAttached(vpcId: string, route: RouteFacts): boolean {
    return this.vpcs.get(vpcId)?.internetGatewayId === route.target;
  }

  private facesInternet(from: InternetHost, to: NetworkInterface): Verdict {
    if (!to.publicAddress) {
      return denied(`${to.label} has no address on the internet`);
    }
    const route = this.routeFor(to.subnetId, from.address);
    if (route === undefined || !route.target.startsWith("igw-") || !this.gatewayAttached(to.vpcId, route)) {
      return denied(`subnet ${to.subnetId} of ${to.label} has no route to an attached internet gateway`);
    }
    return allowed;
  }

  private enters(from: NetworkInterface | InternetHost, to: NetworkInterface, port: number): Verdict {
    const source = from.kind === "interface" ? from.label : from.address;
    return this.rulesAllow(to, "ingress", from, port)
      ? allowed
      : denied(
          `no ingress rule of ${to.securityGroupIds.join(", ")} (${to.label}) admits tcp/${port} from ${source}`,
        );
  }

  private leaves(from: NetworkInterface, to: NetworkInterface | InternetHost, port: number): Verdict {
    const target = to.kind === "interface" ? to.label : to.address;
    return this.rulesAllow(from, "egress", to, port)
      ? allowed
      : denied(
          `no egress rule of ${from.securityGroupIds.join(", ")} (${from.label}) lets tcp/${port} go to ${target}`,
        );
  }

  private rulesAllow(
    owner: NetworkInterface,
    direction: "ingress" | "egress",
    other: NetworkInterface | InternetHost,
    port: number,
  ): boolean {
    // Only a Network Load Balancer that was made without is without, for good; whoever comes, gets on.
    if (owner.securityGroupIds.length === 0) return true;
    return owner.securityGroupIds.some((id) =>
      (this.groups.get(id)?.[direction] ?? []).some((rule) => ruleMatches(rule, other, port)),
    );
  }

  private routeFor(subnetId: string, address: string): RouteFacts | undefined {
    const candidates = (this.subnets.get(subnetId)?.routes ?? []).filter((route) =>
      blockContains(route.destinationCidrBlock, address),
    );
    return candidates.sort(
      (a, b) => blockRange(b.destinationCidrBlock).prefix - blockRange(a.destinationCidrBlock).prefix,
    )[0];
  }

  private both(first: Verdict, second: () => Verdict): Verdict {
    return first.allowed ? second() : first;
  }
}

function ruleMatches(rule: RuleFacts, other: NetworkInterface | InternetHost, port: number): boolean {
  if (rule.protocol !== "-1" && rule.protocol !== "tcp" && rule.protocol !== "6") {
    return false;
  }
  if (rule.protocol !== "-1" && !((rule.fromPort ?? 0) <= port && port <= (rule.toPort ?? 65535))) {
    return false;
  }
  if (rule.cidrIpv4 !== undefined) {
    return blockContains(rule.cidrIpv4, other.address);
  }
  return (
    rule.referencedGroupId !== undefined &&
    other.kind === "interface" &&
    other.securityGroupIds.includes(rule.referencedGroupId)
  );
}

function byId<T extends { id: string }>(items: T[]): Map<string, T> {
  return new Map(items.map((item) => [item.id, item]));
}
