/** Who is where: load balancers, nodes, the groups around them and the ways in and out. */
import { types } from "../types";
import type { Existing, Side } from "./side";
import { grouped, list, number, record, text } from "./values";

/** A load balancer, or the nodes of one cluster. */
export interface Party {
  kind: "load balancer" | "nodes";
  key: string;
  name: string;
  groups: string[];
  /** Whether packets from the internet find a way to it; undefined where the subnets are not the stack's own. */
  hasWayIn: boolean | undefined;
  hasWayOut: boolean | undefined;
  listeners: Listener[];
  /** Nodes with a public address of their own. */
  publicNodes: string[];
}

export interface Listener {
  port: number;
  protocol: string;
  instancePort: number;
  instanceProtocol: string;
  certificate?: string;
}

export function listenersOf(loadBalancer: Existing): Listener[] {
  return list(loadBalancer.inputs.listeners)
    .map(record)
    .map((listener) => ({
      port: number(listener.lbPort) ?? 0,
      protocol: (text(listener.lbProtocol) ?? "").toUpperCase(),
      instancePort: number(listener.instancePort) ?? 0,
      instanceProtocol: (text(listener.instanceProtocol) ?? "").toUpperCase(),
      certificate: text(listener.sslCertificateId),
    }))
    .sort((a, b) => a.port - b.port);
}

export function partiesOf(side: Side): Party[] {
  return [...loadBalancers(side), ...clusters(side)];
}

/** Those of a Network Load Balancer are resources of their own, and lead to the port of a target group. */
function networkListenersOf(side: Side, { key }: Existing): Listener[] {
  return side
    .ofType(types.networkListener)
    .filter((one) => side.target(one, "loadBalancerArn", types.networkLoadBalancer)?.key === key)
    .map((one) => {
      const group = side.target(one, "defaultActions[0].targetGroupArn", types.targetGroup)?.resource;
      return {
        port: number(one.inputs.port) ?? 0,
        protocol: text(one.inputs.protocol) === "TLS" ? "SSL" : "TCP",
        instancePort: number(group?.inputs.port) ?? 0,
        instanceProtocol: "TCP",
        certificate: text(one.inputs.certificateArn),
      };
    })
    .sort((a, b) => a.port - b.port);
}

/** The subnets that it stands in: given as they are, or each with an address. */
function subnetsOf(side: Side, loadBalancer: Existing): (Existing | undefined)[] {
  const mappings = list(loadBalancer.inputs.subnetMappings);
  const targets =
    mappings.length === 0
      ? side.targets(loadBalancer, "subnets", types.subnet)
      : mappings.flatMap((_, i) => side.targets(loadBalancer, `subnetMappings[${i}].subnetId`, types.subnet));
  return targets.map(({ resource }) => resource);
}

function loadBalancers(side: Side): Party[] {
  return side.ofType(types.loadBalancer, types.networkLoadBalancer).map((loadBalancer) => {
    const subnets = subnetsOf(side, loadBalancer);
    const isInternal = loadBalancer.inputs.internal === true;
    const routed = subnets.some((subnet) => subnet && leadsTo(side, subnet, "gateway"));
    const isKnown = subnets.length > 0 && subnets.every((subnet) => subnet !== undefined);
    return {
      kind: "load balancer",
      key: loadBalancer.key,
      name: loadBalancer.name,
      groups: side.targets(loadBalancer, "securityGroups", ...groupTypes).map(({ key }) => key),
      hasWayIn: isInternal ? false : isKnown ? routed : undefined,
      hasWayOut: isKnown ? !isInternal && routed : undefined,
      listeners:
        loadBalancer.type === types.loadBalancer
          ? listenersOf(loadBalancer)
          : networkListenersOf(side, loadBalancer),
      publicNodes: [],
    };
  });
}

const groupTypes = [types.securityGroup, types.defaultSecurityGroup] as const;

/** The instances of one component: the nodes of a cluster. */
interface Cluster {
  key: string;
  name: string;
  instances: Existing[];
}

export function clustersOf(side: Side): Cluster[] {
  return [...grouped(side.ofType(types.instance), ({ parent = "" }) => parent)].map(([key, instances]) => ({
    key,
    name: side.get(key)?.name ?? key.split("::").at(-1) ?? "",
    instances,
  }));
}

function clusters(side: Side): Party[] {
  return clustersOf(side).map(({ key, name, instances }) => {
    const places = instances.map((instance) => placeOf(side, instance));
    const isKnown = places.every(({ subnet }) => subnet !== undefined);
    const publicNodes = instances.filter((_, i) => places[i]?.isPublic).map(({ name }) => name);
    return {
      kind: "nodes",
      key,
      name,
      groups: [...new Set(places.flatMap(({ groups }) => groups))],
      hasWayIn: isKnown
        ? places.some(({ subnet, isPublic }) => isPublic && subnet && leadsTo(side, subnet, "gateway"))
        : publicNodes.length > 0,
      hasWayOut: isKnown
        ? places.some(
            ({ subnet, isPublic }) =>
              subnet && (leadsTo(side, subnet, "nat") || (isPublic && leadsTo(side, subnet, "gateway"))),
          )
        : undefined,
      listeners: [],
      publicNodes,
    };
  });
}

interface Place {
  subnet?: Existing;
  groups: string[];
  isPublic: boolean;
}

/** Where an instance stands: in its interface's subnet, or its own. */
export function placeOf(side: Side, instance: Existing): Place {
  const path = instance.inputs.primaryNetworkInterface
    ? "primaryNetworkInterface.networkInterfaceId"
    : "networkInterfaces[0].networkInterfaceId";
  const card = side.target(instance, path, types.networkInterface)?.resource;
  const owner = card ?? instance;
  const subnet = side.target(owner, "subnetId", types.subnet)?.resource;
  const groups = card
    ? side.targets(card, "securityGroups", ...groupTypes)
    : side.targets(instance, "vpcSecurityGroupIds", ...groupTypes);
  const addresses = side.ofType(types.eip, types.eipAssociation).some((eip) => {
    const network = eip.inputs.networkInterface !== undefined ? "networkInterface" : "networkInterfaceId";
    const machine = eip.inputs.instance !== undefined ? "instance" : "instanceId";
    return (
      side.target(eip, network, types.networkInterface)?.key === (card?.key ?? "none") ||
      side.target(eip, machine, types.instance)?.key === instance.key
    );
  });
  const isPublic =
    addresses ||
    instance.inputs.associatePublicIpAddress === true ||
    (!card &&
      instance.inputs.associatePublicIpAddress === undefined &&
      subnet?.inputs.mapPublicIpOnLaunch === true);
  return { subnet, groups: groups.map(({ key }) => key), isPublic };
}

/** Whether the subnet's default route leads to an internet gateway or to a NAT gateway. */
export function leadsTo(side: Side, subnet: Existing, what: "gateway" | "nat"): boolean {
  return defaultRoutes(side, subnet, what === "gateway" ? "gatewayId" : "natGatewayId").length > 0;
}

/** The NAT gateway to which the subnet's default route leads. */
export function natOf(side: Side, subnet: Existing): Existing | undefined {
  return defaultRoutes(side, subnet, "natGatewayId")
    .map(([route, path]) => side.target(route, path, types.natGateway)?.resource)
    .find((gateway) => gateway !== undefined);
}

/** Default routes that name a target of this kind: whose property of which resource. */
function defaultRoutes(side: Side, subnet: Existing, property: string): [Existing, string][] {
  const tables = side
    .ofType(types.routeTableAssociation)
    .filter((association) => side.target(association, "subnetId", types.subnet)?.key === subnet.key)
    .map((association) => side.target(association, "routeTableId", types.routeTable)?.key);
  const isDefault = (block: unknown) => block === "0.0.0.0/0" || block === "::/0";
  const separate = side.ofType(types.route).flatMap((route): [Existing, string][] => {
    const { destinationCidrBlock, destinationIpv6CidrBlock, [property]: target } = route.inputs;
    const isOwn = tables.includes(side.target(route, "routeTableId", types.routeTable)?.key);
    const matters = target !== undefined && [destinationCidrBlock, destinationIpv6CidrBlock].some(isDefault);
    return isOwn && matters ? [[route, property]] : [];
  });
  const inline = side
    .ofType(types.routeTable)
    .filter(({ key }) => tables.includes(key))
    .flatMap((table) =>
      list(table.inputs.routes)
        .map(record)
        .flatMap(({ cidrBlock, ipv6CidrBlock, [property]: target }, i): [Existing, string][] =>
          target !== undefined && [cidrBlock, ipv6CidrBlock].some(isDefault)
            ? [[table, `routes[${i}].${property}`]]
            : [],
        ),
    );
  return [...separate, ...inline];
}
