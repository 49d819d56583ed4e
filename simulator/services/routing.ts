import { crc32 } from "zlib";
import type { StoredResource } from "../storedResource";
import { type Context } from "../context";
import { dnsSuffixOf } from "../partition";
import { fail } from "../errors";
import { json, out, set, text, type ResourceType } from "../schema";
import { ownerId, stableId } from "../seeds";
import type { Props } from "../values";
import * as names from "./names";
import { ipv4Network } from "./validators";
import { requireSubnet, requireVpc } from "./vpc";

export const routeTableType: ResourceType = {
  token: names.routeTable,
  title: "EC2 Route Table",
  tagged: true,
  properties: {
    vpcId: text({ required: true, forceNew: true }),
    arn: out(),
    ownerId: out(),
    routes: out("list"),
    propagatingVgws: out("list"),
  },
  create(context, inputs) {
    requireVpc(context, inputs["vpcId"] as string);
    const id = context.id("rtb");
    return {
      id,
      attributes: { arn: context.arn("ec2", `route-table/${id}`), ownerId, routes: [], propagatingVgws: [] },
    };
  },
  delete(context, table) {
    if (context.list(names.routeTableAssociation).some((a) => a.attributes["routeTableId"] === table.id)) {
      fail("DependencyViolation", `The routeTable '${table.id}' has dependencies and cannot be deleted.`);
    }
    for (const route of context.list(names.route).filter((r) => r.attributes["routeTableId"] === table.id)) {
      context.account.delete(route);
    }
  },
};

const targets = ["gatewayId", "natGatewayId"] as const;

export const routeType: ResourceType = {
  token: names.route,
  title: "Route",
  properties: {
    routeTableId: text({ required: true, forceNew: true }),
    destinationCidrBlock: text({ forceNew: true, check: ipv4Network }),
    gatewayId: text(),
    natGatewayId: text(),
    instanceId: out(),
    instanceOwnerId: out(),
    origin: out(),
    state: out(),
  },
  validate(_inputs, problems, given) {
    const chosen = targets.filter((t) => given.has(t));
    if (chosen.length !== 1) {
      problems.add("", targetProblem(chosen));
    }
  },
  create(context, inputs) {
    const table = requireRouteTable(context, inputs["routeTableId"] as string);
    const destination = inputs["destinationCidrBlock"] as string | undefined;
    if (destination === undefined) {
      fail("MissingParameter", "The request must contain the parameter destinationCidrBlock");
    }
    const vpc = requireVpc(context, table.attributes["vpcId"] as string);
    const others = context.list(names.route).filter((r) => r.attributes["routeTableId"] === table.id);
    const taken =
      destination === vpc.attributes["cidrBlock"] ||
      others.some((r) => r.attributes["destinationCidrBlock"] === destination);
    if (taken) {
      fail("RouteAlreadyExists", `The route identified by ${destination} already exists.`);
    }
    checkTarget(context, table, inputs);
    const id = `r-${table.id}${crc32(destination)}`;
    return {
      id,
      attributes: { instanceId: "", instanceOwnerId: "", origin: "CreateRoute", state: "active" },
    };
  },
  update(context, route, inputs) {
    checkTarget(context, requireRouteTable(context, route.attributes["routeTableId"] as string), inputs);
  },
  view: (context, route) => ({ state: isBlackhole(context, route) ? "blackhole" : "active" }),
  findImport(context, importId) {
    const [table, destination] = importId.split("_");
    return context
      .list(names.route)
      .find(
        (r) => r.attributes["routeTableId"] === table && r.attributes["destinationCidrBlock"] === destination,
      );
  },
};

/** The gateway of the route is gone (or detached): packets are dropped. */
export function isBlackhole(context: Context, route: StoredResource): boolean {
  const { gatewayId, natGatewayId } = route.attributes;
  if (gatewayId) {
    const gateway = context.find(names.internetGateway, gatewayId as string);
    return !gateway || !gateway.attributes["vpcId"];
  }
  return !context.find(names.natGateway, natGatewayId as string);
}

function targetProblem(given: string[]): string {
  return `a route has exactly one target of ${targets.join(", ")}; got ${given.length === 0 ? "none" : given.join(", ")}`;
}

function checkTarget(context: Context, table: StoredResource, inputs: Props): void {
  const given = targets.filter((t) => inputs[t] !== undefined && inputs[t] !== "");
  if (given.length !== 1) {
    fail(given.length === 0 ? "MissingParameter" : "InvalidParameterCombination", targetProblem(given));
  }
  const target = given[0]!;
  const id = inputs[target] as string;
  const vpcId = table.attributes["vpcId"];
  const differ = (what: string) =>
    fail("InvalidParameterValue", `route table ${table.id} and ${what} ${id} belong to different networks`);
  switch (target) {
    case "gatewayId": {
      const gateway = context.find(names.internetGateway, id);
      if (!gateway) {
        fail("InvalidGatewayID.NotFound", `The gateway ID '${id}' does not exist`);
      }
      return gateway.attributes["vpcId"] === vpcId ? undefined : differ("network gateway");
    }
    case "natGatewayId": {
      const gateway = context.find(names.natGateway, id);
      if (!gateway) {
        fail("InvalidNatGatewayID.NotFound", `The natGateway ID '${id}' does not exist`);
      }
      return gateway.hidden["vpcId"] === vpcId ? undefined : differ("nat gateway");
    }
  }
}

export const routeTableAssociationType: ResourceType = {
  token: names.routeTableAssociation,
  title: "Route Table Association",
  properties: {
    routeTableId: text({ required: true }),
    subnetId: text({ forceNew: true }),
  },
  create(context, inputs) {
    if (inputs["subnetId"] === undefined) {
      fail("MissingParameter", "The request must contain the parameter subnetId");
    }
    const table = requireRouteTable(context, inputs["routeTableId"] as string);
    const subnet = requireSubnet(context, inputs["subnetId"] as string);
    sameNetwork(table, subnet);
    if (context.list(names.routeTableAssociation).some((a) => a.attributes["subnetId"] === subnet.id)) {
      fail(
        "Resource.AlreadyAssociated",
        `the specified association for route table ${table.id} conflicts with an existing association`,
      );
    }
    return { id: context.id("rtbassoc") };
  },
  update(context, association, inputs) {
    const table = requireRouteTable(context, inputs["routeTableId"] as string);
    sameNetwork(table, requireSubnet(context, association.attributes["subnetId"] as string));
  },
  findImport(context, importId) {
    const [subnet, table] = importId.split("/");
    return context
      .list(names.routeTableAssociation)
      .find((a) => a.attributes["subnetId"] === subnet && a.attributes["routeTableId"] === table);
  },
};

function sameNetwork(table: StoredResource, subnet: StoredResource): void {
  if (table.attributes["vpcId"] !== subnet.attributes["vpcId"]) {
    fail(
      "InvalidParameterValue",
      `Route table ${table.id} and subnet ${subnet.id} belong to different networks.`,
    );
  }
}

function requireRouteTable(context: Context, id: string): StoredResource {
  return (
    context.find(names.routeTable, id) ??
    fail("InvalidRouteTableID.NotFound", `The routeTable ID '${id}' does not exist`)
  );
}

/** Services with gateway endpoints. */
const gatewayServices = ["s3", "dynamodb"];

export function prefixListId(region: string, service: string): string {
  return stableId("pl", region, service).replace("pl-0", "pl-").slice(0, 11);
}

/** The prefix lists that there are in a region: AWS's own. */
export function prefixListIds(region: string): string[] {
  return gatewayServices.map((service) => prefixListId(region, service));
}

export const vpcEndpointType: ResourceType = {
  token: names.vpcEndpoint,
  title: "EC2 VPC Endpoint",
  tagged: true,
  properties: {
    vpcId: text({ required: true, forceNew: true }),
    serviceName: text({ computed: true, forceNew: true }),
    vpcEndpointType: text({
      default: "Gateway",
      forceNew: true,
      check: (v: string) =>
        v === "Gateway"
          ? undefined
          : `the simulated region models endpoints of type Gateway only, got "${v}"`,
    }),
    routeTableIds: set(text(), { computed: true }),
    policy: json({ computed: true }),
    arn: out(),
    cidrBlocks: out("list"),
    dnsEntries: out("list"),
    networkInterfaceIds: out("list"),
    ownerId: out(),
    prefixListId: out(),
    requesterManaged: out("boolean"),
    state: out(),
  },
  create(context, inputs) {
    const vpcId = inputs["vpcId"] as string;
    requireVpc(context, vpcId);
    const service = inputs["serviceName"] as string | undefined;
    const prefix = `${context.region.startsWith("cn-") ? "cn.com.amazonaws" : "com.amazonaws"}.${context.region}.`;
    const known = gatewayServices.find(
      (s) => service === prefix + s || service === `com.amazonaws.${context.region}.${s}`,
    );
    if (!known) {
      fail("InvalidServiceName", `The Vpc Endpoint Service '${service ?? ""}' does not exist`);
    }
    const prefixList = prefixListId(context.region, known);
    const tables = (inputs["routeTableIds"] as string[] | undefined) ?? [];
    checkEndpointTables(context, vpcId, prefixList, tables);
    const id = context.id("vpce");
    return {
      id,
      attributes: {
        routeTableIds: tables,
        policy:
          inputs["policy"] ??
          JSON.stringify({
            Version: "2008-10-17",
            Statement: [{ Action: "*", Effect: "Allow", Principal: "*", Resource: "*" }],
          }),
        arn: context.arn("ec2", `vpc-endpoint/${id}`),
        cidrBlocks: known === "s3" ? ["52.218.0.0/17", "3.5.64.0/21"] : ["52.94.5.0/24"],
        dnsEntries: [],
        networkInterfaceIds: [],
        ownerId,
        prefixListId: prefixList,
        requesterManaged: false,
        state: "available",
      },
      hidden: { service: `${known}.${context.region}.${dnsSuffixOf(context.region)}` },
    };
  },
  update(context, endpoint, inputs, changed) {
    if (changed.has("routeTableIds")) {
      const before = endpoint.attributes["routeTableIds"] as string[];
      const added = ((inputs["routeTableIds"] as string[] | undefined) ?? []).filter(
        (t) => !before.includes(t),
      );
      const { vpcId, prefixListId } = endpoint.attributes;
      checkEndpointTables(context, vpcId as string, prefixListId as string, added);
    }
  },
};

function checkEndpointTables(context: Context, vpcId: string, prefixList: string, tables: string[]): void {
  for (const id of tables) {
    const table = requireRouteTable(context, id);
    if (table.attributes["vpcId"] !== vpcId) {
      fail("InvalidParameter", `The route table ${id} belongs to another network than ${vpcId}.`);
    }
    const taken = context
      .list(names.vpcEndpoint)
      .some(
        (e) =>
          e.attributes["prefixListId"] === prefixList &&
          (e.attributes["routeTableIds"] as string[]).includes(id),
      );
    if (taken) {
      fail(
        "RouteAlreadyExists",
        `route table ${id} already has a route with destination-prefix-list-id ${prefixList}`,
      );
    }
  }
}
