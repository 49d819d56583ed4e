import type { StoredResource } from "./storedResource";
import { contains, parseBlock, parseBlockLoosely } from "./cidr";
import type { Context } from "./context";
import * as names from "./services/names";
import { isBlackhole } from "./services/routing";

/** The route table a subnet really uses: its own, else the VPC's main one. */
export function tableOf(context: Context, subnet: StoredResource): StoredResource {
  const association = context
    .list(names.routeTableAssociation)
    .find((a) => a.attributes["subnetId"] === subnet.id);
  const own = association && context.find(names.routeTable, association.attributes["routeTableId"] as string);
  return (
    own ??
    context
      .list(names.routeTable)
      .find((t) => t.hidden["main"] === true && t.attributes["vpcId"] === subnet.attributes["vpcId"])!
  );
}

export function routesOf(context: Context, subnet: StoredResource): StoredResource[] {
  const table = tableOf(context, subnet);
  return context.list(names.route).filter((r) => r.attributes["routeTableId"] === table.id);
}

/** Whether a route leads somewhere on the internet at large. */
function isDefault(route: StoredResource): boolean {
  const block = parseBlock(route.attributes["destinationCidrBlock"] as string);
  return block?.prefix === 0;
}

/**
 * Why an interface cannot reach the internet on a port, or nothing if it can: route, gateway, public address
 * and the groups' egress rules.
 */
export function egressProblem(context: Context, eni: StoredResource, port: number): string | undefined {
  const subnet = context.find(names.subnet, eni.attributes["subnetId"] as string)!;
  const route = routesOf(context, subnet).find(isDefault);
  if (!route) {
    return `subnet ${subnet.id} has no route to 0.0.0.0/0`;
  }
  if (isBlackhole(context, route)) {
    return `the route to 0.0.0.0/0 of subnet ${subnet.id} is a black hole`;
  }
  const nat = context.find(names.natGateway, (route.attributes["natGatewayId"] as string | undefined) ?? "");
  if (nat) {
    const problem = natProblem(context, nat);
    if (problem) {
      return problem;
    }
  } else {
    return `interface ${eni.id} has no public address and its subnet no NAT gateway`;
  }
  const groups = eni.attributes["securityGroups"] as string[];
  return groups.some((group) => lets(context, group, port))
    ? undefined
    : `no egress rule of ${groups.join(", ")} lets TCP port ${port} out to the internet`;
}

function natProblem(context: Context, nat: StoredResource): string | undefined {
  const subnet = context.find(names.subnet, nat.attributes["subnetId"] as string)!;
  const out = routesOf(context, subnet).find((r) => isDefault(r) && r.attributes["gatewayId"]);
  return out && !isBlackhole(context, out)
    ? undefined
    : `the subnet ${subnet.id} of NAT gateway ${nat.id} has no route to an internet gateway`;
}

/** Whether a group has an egress rule for a port and every address. */
function lets(context: Context, groupId: string, port: number): boolean {
  const everywhere = (cidr: unknown) => {
    const block = typeof cidr === "string" ? parseBlockLoosely(cidr) : undefined;
    return block !== undefined && contains(block, { base: 0, prefix: 0 });
  };
  const rule = context
    .list(names.egressRule)
    .map((r) => r.attributes)
    .filter((a) => a["securityGroupId"] === groupId)
    .some((a) => everywhere(a["cidrIpv4"]) && covers(a["ipProtocol"], a["fromPort"], a["toPort"], port));
  const group = context.find(names.securityGroup, groupId);
  const inline = ((group?.attributes["egress"] as { [key: string]: unknown }[] | undefined) ?? []).some(
    (r) =>
      ((r["cidrBlocks"] as string[] | undefined) ?? []).some(everywhere) &&
      covers(r["protocol"], r["fromPort"], r["toPort"], port),
  );
  return rule || inline;
}

function covers(protocol: unknown, from: unknown, to: unknown, port: number): boolean {
  if (protocol === "-1" || protocol === "all") {
    return true;
  }
  return (protocol === "tcp" || protocol === "6") && Number(from) <= port && port <= Number(to);
}
