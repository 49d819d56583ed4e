/** Who can reach which port of what: security groups, routes and listeners taken together. */
import { Address4 } from "ip-address";
import { askedByNode } from "../../../components/emqx/access";
import { isCovered } from "../../../components/network/ipv4";
import { userDataOf } from "../access/nodes";
import { types } from "../types";
import type { Listener, Party } from "./network";
import { partiesOf } from "./network";
import { isClusterPort, isDashboardPort, purposeOfListener, purposeOfNodePort } from "./ports";
import type { Permission } from "./rules";
import { permissionsOf } from "./rules";
import type { Side } from "./side";
import { byName, text } from "./values";

/** Whether packets arrive, and if not, what is in their way. */
export type Reach = "open" | "no route" | "no listener" | "not let out";

export interface Path {
  from: string;
  to: string;
  port: string;
  purpose: string;
  reach: Reach;
  /** From addresses, not from a group: the kind of opening that a reviewer looks for. */
  isFromAddresses: boolean;
  isFromInternet: boolean;
  isOutward: boolean;
  permission: Permission;
}

/** Something that is never right here. */
export interface Alarm {
  kind: "cluster-port" | "dashboard" | "node-from-internet" | "public-node" | "anonymous";
  text: string;
}

export interface ExposureRow extends Omit<Path, "reach" | "permission"> {
  before?: Reach;
  after?: Reach;
}

export interface Exposure {
  rows: ExposureRow[];
  alarms: (Alarm & { isNew: boolean })[];
}

export function exposureOf(before: Side, after: Side): Exposure {
  const [old, next] = [exposedBy(before), exposedBy(after)];
  const rows = new Map<string, ExposureRow>();
  for (const [side, here, there, others] of [
    ["before", old, "after", next] as const,
    ["after", next, "before", old] as const,
  ]) {
    for (const path of here.paths) {
      const { reach, permission, ...shown } = path;
      const key = [path.from, path.to, path.port].join(" → ");
      const row: ExposureRow = rows.get(key) ?? shown;
      const elsewhere = reachWithin(path, permission, others.paths);
      rows.set(key, {
        ...row,
        ...shown,
        [side]: better(row[side], reach),
        ...(elsewhere && { [there]: better(row[there], elsewhere) }),
      });
    }
  }
  const known = new Set(old.alarms.map(({ text: words }) => words));
  return {
    rows: [...rows.values()].sort(inOrder),
    alarms: next.alarms.map((alarm) => ({ ...alarm, isNew: !known.has(alarm.text) })),
  };
}

/** How far those of a way get by others, a wider one or several together: a block within a block. */
function reachWithin(
  path: Omit<Path, "permission">,
  permission: Permission,
  others: Path[],
): Reach | undefined {
  const { block, from, to, protocol } = permission;
  if (block === undefined) return undefined;
  const alike = others.filter(
    (other) =>
      other.isOutward === path.isOutward &&
      (path.isOutward ? other.from === path.from : other.to === path.to) &&
      (other.port === path.port ||
        ([protocol, "all"].includes(other.permission.protocol) &&
          other.permission.from <= from &&
          other.permission.to >= to)),
  );
  return [...new Set<Reach>(["open", path.reach])].find((reach) =>
    isCovered(
      block,
      alike.flatMap((other) => (other.reach === reach ? (other.permission.block ?? []) : [])),
    ),
  );
}

/** A way that opens for others than the stack's own load balancer and nodes, in or out. */
export function opensFor(row: ExposureRow): boolean {
  return isOpened(row) && (row.isFromAddresses || row.isOutward || row.from.startsWith("group "));
}

/** Two rules may permit the same; one that works is enough. */
function better(a: Reach | undefined, b: Reach): Reach {
  return a === "open" || b === "open" ? "open" : (a ?? b);
}

export function isOpened({ before, after }: ExposureRow): boolean {
  return after !== undefined && after !== before && (before === undefined || after === "open");
}

export function isClosed({ before, after }: ExposureRow): boolean {
  return before !== undefined && after !== before && !isOpened({ before, after } as ExposureRow);
}

function inOrder(a: ExposureRow, b: ExposureRow): number {
  const sources = [
    "internet",
    "clients",
    "admins",
    "addresses",
    "VPC",
    "prefix list",
    "load balancer",
    "nodes",
  ];
  const rank = ({ from, isOutward }: ExposureRow) => {
    const place = sources.findIndex((source) => from.startsWith(source));
    return isOutward ? sources.length + 1 : place < 0 ? sources.length : place;
  };
  return rank(a) - rank(b) || byName(a.from, b.from) || byName(a.to, b.to) || byName(a.port, b.port);
}

function exposedBy(side: Side): { paths: Path[]; alarms: Alarm[] } {
  const parties = partiesOf(side);
  const permissions = permissionsOf(side);
  const context: Context = { side, parties, permissions, blocks: vpcBlocks(side) };
  const paths = permissions.flatMap((permission) =>
    permission.direction === "in" ? inwardPaths(context, permission) : outwardPaths(context, permission),
  );
  return { paths, alarms: [...alarmsOf(context), ...anonymousAlarms(context, paths)] };
}

interface Context {
  side: Side;
  parties: Party[];
  permissions: Permission[];
  /** The address blocks of the stack's own VPCs. */
  blocks: string[];
}

function vpcBlocks(side: Side): string[] {
  return side.ofType(types.vpc).flatMap((vpc) => text(vpc.inputs.cidrBlock) ?? []);
}

/** What a group is around. A group around nothing is named itself. */
function membersOf({ parties, side }: Context, group: string): Party[] {
  const members = parties.filter(({ groups }) => groups.includes(group));
  if (members.length > 0) return members;
  const name = side.get(group)?.name ?? group;
  const nobody: Party = {
    kind: "nodes",
    key: group,
    name: `group ${name} (around nothing in this stack)`,
    groups: [group],
    hasWayIn: undefined,
    hasWayOut: undefined,
    listeners: [],
    publicNodes: [],
  };
  return [nobody];
}

/** `nodes`, or with their name where there are several clusters. */
function labelOf({ parties }: Context, party: Party): string {
  if (!parties.includes(party)) return party.name;
  const alike = parties.filter(({ kind }) => kind === party.kind).length;
  return alike > 1 ? `${party.kind} ${party.name}` : party.kind;
}

function inwardPaths(context: Context, permission: Permission): Path[] {
  return membersOf(context, permission.group).flatMap((target) =>
    doorsOf(target, permission).flatMap((door) => {
      const to = labelOf(context, target);
      const base = { to, port: door.port, purpose: door.purpose, isOutward: false, permission };
      if (permission.peer !== undefined) {
        return membersOf(context, permission.peer).map((source): Path => {
          const isLetOut = lets(context, permission.peer ?? "", permission);
          return {
            ...base,
            from: labelOf(context, source),
            reach: !isLetOut ? "not let out" : door.isOpen ? "open" : "no listener",
            isFromAddresses: false,
            isFromInternet: false,
          };
        });
      }
      const { from, isInternet } = sourceOf(context, permission, target);
      const isInside = from.startsWith("VPC");
      const isRouted = isInside || !isPublicSource(permission.block) || target.hasWayIn !== false;
      return [
        {
          ...base,
          from,
          reach: !isRouted ? "no route" : door.isOpen ? "open" : "no listener",
          isFromAddresses: true,
          isFromInternet: isInternet,
        },
      ];
    }),
  );
}

/** Ways out to addresses, and to groups from elsewhere; those to the stack's own are seen from the other end. */
function outwardPaths(context: Context, permission: Permission): Path[] {
  const { peer } = permission;
  if (peer !== undefined && context.side.get(peer)) return [];
  return membersOf(context, permission.group).map((source): Path => {
    const { from: to, isInternet } =
      peer === undefined
        ? sourceOf(context, permission, undefined)
        : { from: `group ${peer}`, isInternet: false };
    const needsWay = isPublicSource(permission.block);
    return {
      from: labelOf(context, source),
      to,
      port: portText(permission),
      purpose: purposeOfRange(permission) || (permission.description ?? ""),
      reach: needsWay && source.hasWayOut === false ? "no route" : "open",
      isFromAddresses: false,
      isFromInternet: isInternet,
      isOutward: true,
      permission,
    };
  });
}

interface Door {
  port: string;
  purpose: string;
  isOpen: boolean;
}

/** The ports of a target that a permission leads to: a load balancer has its listeners, of nodes we know the numbers. */
function doorsOf(target: Party, permission: Permission): Door[] {
  if (target.kind === "nodes") {
    return [{ port: portText(permission), purpose: purposeOfRange(permission), isOpen: true }];
  }
  const open = target.listeners.filter((listener) => permits(permission, listener));
  if (open.length === 0) {
    return [{ port: portText(permission), purpose: purposeOfRange(permission), isOpen: false }];
  }
  return open.map((listener) => ({
    port: `TCP ${listener.port}`,
    purpose: purposeOfListener(listener.protocol, listener.instancePort),
    isOpen: true,
  }));
}

function permits({ protocol, from, to }: Permission, { port }: Pick<Listener, "port">): boolean {
  return (protocol === "tcp" || protocol === "all") && port >= from && port <= to;
}

/** Whether the group at the other end lets traffic out to this permission's group. */
function lets({ permissions, side }: Context, source: string, inward: Permission): boolean {
  if (!side.get(source)) return true; // a group from elsewhere, whose rules are not known
  return permissions.some(
    (out) =>
      out.direction === "out" &&
      out.group === source &&
      (out.peer === inward.group || out.block !== undefined) &&
      (out.protocol === "all" ||
        (out.protocol === inward.protocol && out.from <= inward.from && out.to >= inward.to)),
  );
}

function sourceOf(
  { blocks }: Context,
  { block, prefixList, from, to, protocol }: Permission,
  target: Party | undefined,
): { from: string; isInternet: boolean } {
  if (block === undefined) return { from: `prefix list ${prefixList ?? "?"}`, isInternet: false };
  if (isWorld(block)) {
    return { from: block === "0.0.0.0/0" ? "internet" : `internet (${block})`, isInternet: true };
  }
  if (blocks.some((own) => within(block, own))) {
    return { from: blocks.includes(block) ? "VPC" : `VPC ${block}`, isInternet: false };
  }
  const isManaging = protocol === "tcp" && from === to && isDashboardPort(from);
  const who = target?.kind === "load balancer" ? "clients" : target && isManaging ? "admins" : "addresses";
  return { from: `${who} ${block}`, isInternet: false };
}

/** Everything, or a block so large that the difference does not matter. */
function isWorld(block: string): boolean {
  const prefix = Number(block.split("/")[1] ?? "");
  return block.includes("/") && prefix < 8 && block.includes(".") ? true : /^::\/\d$/.test(block);
}

function isPublicSource(block: string | undefined): boolean {
  if (block === undefined) return false;
  const reserved = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];
  return !reserved.some((own) => within(block, own));
}

function within(block: string, outer: string): boolean {
  try {
    return new Address4(block).isInSubnet(new Address4(outer));
  } catch {
    return false; // IPv6, or not a block at all
  }
}

function portText({ protocol, from, to }: Permission): string {
  if (protocol === "all") return "all ports";
  if (protocol === "icmp" || protocol === "icmpv6") return protocol.toUpperCase();
  return `${protocol.toUpperCase()} ${from === to ? from : `${from}–${to}`}`;
}

function purposeOfRange({ protocol, from, to }: Permission): string {
  if (protocol === "all") return "everything";
  if (protocol.startsWith("icmp")) return "ping and errors";
  if (from !== to) return "a range";
  return purposeOfNodePort(from) ?? "";
}

/** Whoever reaches EMQX from the internet has to say who they are. */
function anonymousAlarms({ side }: Context, paths: Path[]): Alarm[] {
  const isReached = paths.some(
    ({ isFromInternet, isOutward, reach }) => isFromInternet && !isOutward && reach === "open",
  );
  const isAnonymous = side
    .ofType(types.instance)
    .some((instance) => [...(askedByNode(userDataOf(instance) ?? "")?.values() ?? [])].includes(undefined));
  return isReached && isAnonymous
    ? [
        {
          kind: "anonymous",
          text: "MQTT clients from the internet need neither user name nor password nor any other proof of who they are",
        },
      ]
    : [];
}

function alarmsOf(context: Context): Alarm[] {
  const alarms: Alarm[] = [];
  for (const permission of context.permissions) {
    if (permission.direction !== "in" || permission.block === undefined) continue;
    for (const target of membersOf(context, permission.group)) {
      if (target.kind !== "nodes") continue;
      const { from, isInternet } = sourceOf(context, permission, target);
      const isTcp = permission.protocol === "tcp" || permission.protocol === "all";
      const where = `${portText(permission)} of the ${labelOf(context, target)}`;
      if (isTcp && isClusterPort(permission.from, permission.to)) {
        alarms.push({
          kind: "cluster-port",
          text: `cluster ports open to addresses: ${from} → ${where}; only the nodes' own group belongs there`,
        });
      }
      if (isTcp && isInternet && isDashboardPort(permission.from, permission.to)) {
        alarms.push({ kind: "dashboard", text: `dashboard and API open to the world: ${from} → ${where}` });
      }
      if (isInternet) {
        alarms.push({
          kind: "node-from-internet",
          text: `nodes open to the world: ${from} → ${where}; clients belong at the load balancer`,
        });
      }
    }
  }
  for (const party of context.parties) {
    for (const name of party.publicNodes) {
      alarms.push({ kind: "public-node", text: `node ${name} has a public address` });
    }
    for (const { port, instancePort } of party.listeners) {
      const isBad = isDashboardPort(instancePort) || isClusterPort(instancePort);
      const isOpen = context.permissions.some(
        (permission) =>
          permission.direction === "in" &&
          party.groups.includes(permission.group) &&
          permission.block !== undefined &&
          isWorld(permission.block) &&
          permits(permission, { port }),
      );
      if (isBad && isOpen) {
        alarms.push({
          kind: isDashboardPort(instancePort) ? "dashboard" : "cluster-port",
          text: `${purposeOfNodePort(instancePort)} open to the world through the load balancer's port ${port}`,
        });
      }
    }
  }
  const seen = new Set<string>();
  return alarms
    .filter(({ text: words }) => !seen.has(words) && seen.add(words))
    .sort((a, b) => byName(a.text, b.text));
}
