/** What a diagram shows: one network with its zones, what stands in them, and the ways traffic takes. */
import type { Operation } from "../change/change";
import type { Change } from "../change/change";
import type { ExposureRow } from "../change/exposure";
import { isClosed, isOpened } from "../change/exposure";
import { leadsTo, listenersOf, natOf, placeOf } from "../change/network";
import { purposeOfListener } from "../change/ports";
import type { Existing, Side } from "../change/side";
import { types } from "../types";
import { byName, grouped, list, text } from "../change/values";
import { isKnown, isTagsOnly } from "../change/change";

export type Mark = "added" | "changed" | "replaced" | "removed" | "same";

export interface Thing {
  name: string;
  lines: string[];
  mark: Mark;
  /** How many things a box stands for. */
  count: number;
}

export interface Zone {
  name: string;
  mark: Mark;
  subnets: Subnet[];
}

/** A subnet, or, where the stack does not say which one it is, what stands in the zone: without a name. */
interface Subnet {
  name: string;
  block: string;
  mark: Mark;
  gateways: Thing[];
  nodes: Thing[];
  /** Name of the NAT gateway that its way out leads through. */
  nat?: string;
}

export interface Way {
  from: string;
  to: "load balancer" | "nodes";
  labels: string[];
  mark: Mark;
}

export interface Topology {
  network: { name: string; block: string; mark: Mark };
  loadBalancers: Thing[];
  zones: Zone[];
  /** From outside in. */
  ways: Way[];
  /** From the nodes out; `from` is where to. */
  waysOut: Way[];
  /** From the load balancer to the nodes, and among the nodes. */
  inner: { toNodes: string[]; amongNodes: string[] };
}

/** More nodes in a zone than this are one box. */
const mostNodes = 4;

export function topologyOf(change: Change, before: Side, after: Side, exposure: ExposureRow[]): Topology {
  const markOf = ({ key }: Existing): Mark => {
    const resource = change.byUrn.get(key);
    return resource && !isTagsOnly(resource) ? marks[resource.operation] : "same";
  };
  const both = (...wanted: string[]): [Existing, Side][] => {
    const next = after.ofType(...wanted);
    const gone = before.ofType(...wanted).filter(({ key }) => !after.get(key));
    return [
      ...next.map((item): [Existing, Side] => [item, after]),
      ...gone.map((item): [Existing, Side] => [item, before]),
    ];
  };
  const [network] = both(types.vpc).sort(([a], [b]) => byName(a.name, b.name));
  return {
    network: {
      name: network?.[0].name ?? "network",
      block: text(network?.[0].inputs.cidrBlock) ?? "",
      mark: network ? markOf(network[0]) : "same",
    },
    loadBalancers: both(types.loadBalancer).map(([balancer]) => ({
      name: balancer.name,
      lines: [
        balancer.inputs.internal === true ? "internal" : "public",
        ...listenersOf(balancer).map(
          ({ port, protocol, instancePort }) => `${port} ${purposeOfListener(protocol, instancePort)}`,
        ),
      ],
      mark: markOf(balancer),
      count: 1,
    })),
    zones: zonesOf(both, markOf),
    ways: waysOf(exposure),
    waysOut: waysOf(exposure, true),
    inner: innerOf(exposure),
  };
}

const marks: Record<Operation, Mark> = {
  create: "added",
  update: "changed",
  replace: "replaced",
  delete: "removed",
  same: "same",
  read: "same",
  forget: "removed",
};

function zonesOf(
  both: (...wanted: string[]) => [Existing, Side][],
  markOf: (resource: Existing) => Mark,
): Zone[] {
  const zones = new Map<string, Zone>();
  const boxes = new Map<string, Subnet>();
  const boxOf = (zoneName: string, key: string, subnet: Omit<Subnet, "gateways" | "nodes">): Subnet => {
    const zone = zones.get(zoneName) ?? { name: zoneName, mark: "same", subnets: [] };
    zones.set(zoneName, zone);
    const box = boxes.get(key) ?? { ...subnet, gateways: [], nodes: [] };
    if (!boxes.has(key)) zone.subnets.push(box);
    boxes.set(key, box);
    return box;
  };
  const publicBoxes = new Set<Subnet>();
  /** Where a preview does not say which subnet: the zone's only one of that kind, or none. */
  const likely = (zoneName: string, isPublic: boolean): Subnet => {
    const [only, other] = (zones.get(zoneName)?.subnets ?? []).filter(
      (box) => box.mark !== "removed" && publicBoxes.has(box) === isPublic,
    );
    return only && !other ? only : boxOf(zoneName, `?${zoneName}`, { name: "", block: "", mark: "same" });
  };
  for (const [subnet, side] of both(types.subnet)) {
    const box = boxOf(zoneName(subnet), subnet.key, {
      name: subnet.name,
      block: text(subnet.inputs.cidrBlock) ?? "",
      mark: markOf(subnet),
      nat: natOf(side, subnet)?.name,
    });
    if (leadsTo(side, subnet, "gateway")) publicBoxes.add(box);
  }
  for (const [gateway, side] of both(types.natGateway)) {
    const subnet = side.target(gateway, "subnetId", types.subnet)?.resource;
    const mentioned = [...zones.keys()].find((name) => gateway.name.includes(name));
    (boxes.get(subnet?.key ?? "") ?? likely(mentioned ?? "elsewhere", true)).gateways.push({
      ...{ name: gateway.name, lines: ["NAT gateway"], mark: markOf(gateway), count: 1 },
    });
  }
  for (const [instance, side] of both(types.instance)) {
    const { subnet } = placeOf(side, instance);
    const card = side.target(
      instance,
      "primaryNetworkInterface.networkInterfaceId",
      types.networkInterface,
    )?.resource;
    const address = text(list(card?.inputs.privateIps)[0]) ?? text(instance.inputs.privateIp);
    (boxes.get(subnet?.key ?? "") ?? likely(zoneOfVolume(side, instance) ?? "elsewhere", false)).nodes.push({
      name: instance.name,
      lines: [
        ...(isKnown(address) ? [address as string] : []),
        text(instance.inputs.instanceType) ?? "",
      ].filter(Boolean),
      mark: markOf(instance),
      count: 1,
    });
  }
  return [...zones.values()]
    .map(({ name, subnets }) => ({
      name,
      mark: wholeMark(subnets.filter((subnet) => subnet.name !== "").map(({ mark }) => mark)),
      subnets: subnets
        .map((subnet) => ({
          ...subnet,
          gateways: subnet.gateways.sort((a, b) => byName(a.name, b.name)),
          nodes: together(subnet.nodes.sort((a, b) => byName(a.name, b.name))),
        }))
        .sort((a, b) => byName(b.name, a.name)),
    }))
    .sort((a, b) => byName(a.name, b.name));
}

/** Where the instance's own volume is. */
function zoneOfVolume(side: Side, instance: Existing): string | undefined {
  const own = side.ofType(types.volume).find(({ name }) => name.startsWith(`${instance.name}-`));
  return text(instance.inputs.availabilityZone) ?? text(own?.inputs.availabilityZone);
}

function zoneName(subnet: Existing): string {
  return text(subnet.inputs.availabilityZone) ?? text(subnet.outputs.availabilityZone) ?? "elsewhere";
}

/** A zone is new or gone when all of its subnets are. */
function wholeMark(marks: Mark[]): Mark {
  const [first] = marks;
  return first !== undefined && first !== "changed" && marks.every((mark) => mark === first) ? first : "same";
}

function together(nodes: Thing[]): Thing[] {
  if (nodes.length <= mostNodes) return nodes;
  return [...grouped(nodes, ({ mark }) => mark)].map(([mark, alike]) => ({
    name: alike.length === 1 ? (alike[0]?.name ?? "") : `${alike[0]?.name} … ${alike.at(-1)?.name}`,
    lines: [`${alike.length} nodes`, alike[0]?.lines.at(-1) ?? ""].filter(Boolean),
    mark,
    count: alike.length,
  }));
}

function waysOf(exposure: ExposureRow[], isOutward = false): Way[] {
  const ways = new Map<string, Way>();
  for (const row of exposure) {
    const isWanted = isOutward ? row.isOutward && row.from.startsWith("nodes") : row.isFromAddresses;
    if (!isWanted || (row.before !== "open" && row.after !== "open")) continue;
    const to = row.to.startsWith("load balancer") ? "load balancer" : "nodes";
    const from = isOutward ? row.to : row.from;
    const mark: Mark = isOpened(row) ? "added" : isClosed(row) ? "removed" : "same";
    const key = `${from}|${to}|${mark}`;
    const way = ways.get(key) ?? { from, to, labels: [], mark };
    way.labels.push(row.port.replace(/^TCP /, ""));
    ways.set(key, way);
  }
  return [...ways.values()];
}

function innerOf(exposure: ExposureRow[]): Topology["inner"] {
  const ports = (from: string, to: string) => [
    ...new Set(
      exposure
        .filter(
          (row) =>
            !row.isOutward && row.after === "open" && row.from.startsWith(from) && row.to.startsWith(to),
        )
        .map(({ port }) => port.replace(/^TCP /, "")),
    ),
  ];
  return { toNodes: ports("load balancer", "nodes"), amongNodes: ports("nodes", "nodes") };
}

/** The same, without any sign of a change: for the documentation. */
export function plainTopology(topology: Topology): Topology {
  const text = JSON.stringify(topology, (key, value: unknown) => (key === "mark" ? "same" : value));
  return JSON.parse(text) as Topology;
}
