import { ownerId, stableId } from "../seeds";
import type { StoredResource } from "../storedResource";
import { contains, overlap, parseBlock, sizeOf, blockProblem } from "../cidr";
import { type Context } from "../context";
import { fail } from "../errors";
import { bool, out, text, type ResourceType } from "../schema";
import type { Props } from "../values";
import { addressesTaken } from "./addresses";
import * as names from "./names";

export const vpcType: ResourceType = {
  token: names.vpc,
  title: "EC2 VPC",
  tagged: true,
  properties: {
    cidrBlock: text({
      computed: true,
      forceNew: true,
      check: (v: string) => {
        const problem = blockProblem(v, 16, 28);
        return problem && `InvalidVpc.Range: The CIDR is invalid: ${problem}`;
      },
    }),
    enableDnsHostnames: bool({ default: false }),
    enableDnsSupport: bool({ default: true }),
    arn: out(),
    defaultNetworkAclId: out(),
    defaultRouteTableId: out(),
    defaultSecurityGroupId: out(),
    dhcpOptionsId: out(),
    ipv6AssociationId: out(),
    mainRouteTableId: out(),
    ownerId: out(),
  },
  create(context, inputs) {
    if (inputs["cidrBlock"] === undefined) {
      fail("MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.");
    }
    checkRange(inputs["cidrBlock"] as string);
    const quota = context.account.seeds.quotas.vpcsPerRegion;
    if (context.list(names.vpc).length >= quota) {
      fail("VpcLimitExceeded", "The maximum number of VPCs has been reached.");
    }
    const id = context.id("vpc");
    const group = context.id("sg");
    const table = context.id("rtb");
    createDefaultGroup(context, id, group);
    context.create(
      names.routeTable,
      table,
      {
        vpcId: id,
        arn: context.arn("ec2", `route-table/${table}`),
        ownerId,
        routes: [],
        tags: {},
        tagsAll: {},
      },
      { main: true },
      { implicit: true },
    );
    return {
      id,
      attributes: {
        arn: context.arn("ec2", `vpc/${id}`),
        defaultNetworkAclId: context.id("acl"),
        defaultRouteTableId: table,
        mainRouteTableId: table,
        defaultSecurityGroupId: group,
        dhcpOptionsId: stableId("dopt", context.region),
        ipv6AssociationId: "",
        ownerId,
      },
    };
  },
  delete(context, vpc) {
    const inVpc = (type: string) =>
      context.list(type).some((r) => r.attributes["vpcId"] === vpc.id && !r.implicit);
    const attached = context
      .list(names.internetGateway)
      .some((gateway) => gateway.attributes["vpcId"] === vpc.id);
    const used =
      attached ||
      [names.subnet, names.securityGroup, names.routeTable, names.vpcEndpoint].some(inVpc) ||
      context.list(names.networkInterface).some((eni) => eni.hidden["vpcId"] === vpc.id);
    if (used) {
      fail("DependencyViolation", `The vpc '${vpc.id}' has dependencies and cannot be deleted.`);
    }
    for (const type of [names.securityGroup, names.routeTable]) {
      for (const own of context.list(type).filter((r) => r.implicit && r.attributes["vpcId"] === vpc.id)) {
        context.account.delete(own);
      }
    }
  },
};

/**
 * EC2 makes no VPC of addresses that no host has: this network, loopback, link-local, multicast, reserved (RFC 6890; "CIDR
 * blocks from the link local block … can't be assigned to VPCs", Amazon VPC user guide, "VPC CIDR blocks").
 */
const notForVpcs = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"];

function checkRange(cidrBlock: string): void {
  const block = parseBlock(cidrBlock)!;
  if (notForVpcs.some((reserved) => contains(parseBlock(reserved)!, block))) {
    fail("InvalidVpc.Range", `The CIDR '${cidrBlock}' is invalid.`);
  }
}

/** Every VPC comes with a group that lets its members talk and everything out. */
function createDefaultGroup(context: Context, vpcId: string, id: string): void {
  const all = {
    protocol: "-1",
    fromPort: 0,
    toPort: 0,
    ipv6CidrBlocks: [],
    prefixListIds: [],
    description: "",
  };
  context.create(
    names.securityGroup,
    id,
    {
      vpcId,
      name: "default",
      description: "default VPC security group",
      arn: context.arn("ec2", `security-group/${id}`),
      ownerId,
      ingress: [{ ...all, self: true, cidrBlocks: [], securityGroups: [] }],
      egress: [{ ...all, self: false, cidrBlocks: ["0.0.0.0/0"], securityGroups: [] }],
      tags: {},
      tagsAll: {},
    },
    { default: true },
    { implicit: true },
  );
}

export const internetGatewayType: ResourceType = {
  token: names.internetGateway,
  title: "EC2 Internet Gateway",
  tagged: true,
  properties: {
    vpcId: text({ computed: true }),
    arn: out(),
    ownerId: out(),
  },
  create(context, inputs) {
    const id = context.id("igw");
    const vpcId = inputs["vpcId"] as string | undefined;
    if (vpcId) {
      attach(context, vpcId);
    }
    return {
      id,
      attributes: { arn: context.arn("ec2", `internet-gateway/${id}`), ownerId, vpcId: vpcId ?? "" },
    };
  },
  update(context, gateway, inputs, changed) {
    if (changed.has("vpcId")) {
      detach(context, gateway);
      context.account.update(gateway, { vpcId: "" });
      if (inputs["vpcId"]) {
        attach(context, inputs["vpcId"] as string);
      }
    }
  },
  delete: detach,
};

function attach(context: Context, vpcId: string): void {
  requireVpc(context, vpcId);
  if (context.list(names.internetGateway).some((g) => g.attributes["vpcId"] === vpcId)) {
    fail("InvalidParameterValue", `Network ${vpcId} already has an internet gateway attached`);
  }
}

function detach(context: Context, gateway: StoredResource): void {
  const vpcId = gateway.attributes["vpcId"];
  const mapped =
    vpcId !== "" &&
    context
      .list(names.networkInterface)
      .some((eni) => eni.hidden["vpcId"] === vpcId && typeof eni.hidden["publicIp"] === "string");
  if (mapped) {
    fail(
      "DependencyViolation",
      `Network ${vpcId} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.`,
    );
  }
}

export const subnetType: ResourceType = {
  token: names.subnet,
  title: "EC2 Subnet",
  tagged: true,
  properties: {
    vpcId: text({ required: true, forceNew: true }),
    cidrBlock: text({
      forceNew: true,
      check: (v: string) => {
        const problem = blockProblem(v);
        return problem && `InvalidSubnet.Range: The CIDR is invalid: ${problem}`;
      },
    }),
    availabilityZone: text({ computed: true, forceNew: true }),
    availabilityZoneId: out(),
    mapPublicIpOnLaunch: bool({ default: false }),
    arn: out(),
    ipv6CidrBlockAssociationId: out(),
    ownerId: out(),
  },
  create(context, inputs) {
    const vpc = requireVpc(context, inputs["vpcId"] as string);
    if (inputs["cidrBlock"] === undefined) {
      fail("MissingParameter", "The request must contain the parameter cidrBlock");
    }
    const cidr = inputs["cidrBlock"] as string;
    const block = parseBlock(cidr)!;
    const vpcBlock = parseBlock(vpc.attributes["cidrBlock"] as string)!;
    if (block.prefix < 16 || block.prefix > 28 || !contains(vpcBlock, block)) {
      fail("InvalidSubnet.Range", `The CIDR '${cidr}' is invalid.`);
    }
    const zone = zoneOf(context, inputs);
    const siblings = context.list(names.subnet).filter((s) => s.attributes["vpcId"] === vpc.id);
    if (siblings.some((s) => overlap(parseBlock(s.attributes["cidrBlock"] as string)!, block))) {
      fail("InvalidSubnet.Conflict", `The CIDR '${cidr}' conflicts with another subnet`);
    }
    const id = context.id("subnet");
    return {
      id,
      attributes: {
        availabilityZone: zone,
        availabilityZoneId: context.regionSeed.zoneIds[zone]!,
        arn: context.arn("ec2", `subnet/${id}`),
        ipv6CidrBlockAssociationId: "",
        ownerId,
      },
    };
  },
  delete(context, subnet) {
    if (context.list(names.networkInterface).some((eni) => eni.attributes["subnetId"] === subnet.id)) {
      fail("DependencyViolation", `The subnet '${subnet.id}' has dependencies and cannot be deleted.`);
    }
    for (const association of context.list(names.routeTableAssociation)) {
      if (association.attributes["subnetId"] === subnet.id) {
        context.account.delete(association);
      }
    }
  },
};

function zoneOf(context: Context, inputs: Props): string {
  const { zones } = context.regionSeed;
  const zone = inputs["availabilityZone"] as string | undefined;
  if (zone !== undefined && !zones.includes(zone)) {
    fail(
      "InvalidParameterValue",
      `Value (${zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: ${zones.join(", ")}.`,
    );
  }
  return zone ?? zones[0]!;
}

export function requireVpc(context: Context, id: string): StoredResource {
  return context.find(names.vpc, id) ?? fail("InvalidVpcID.NotFound", `The vpc ID '${id}' does not exist`);
}

export function requireSubnet(context: Context, id: string): StoredResource {
  return (
    context.find(names.subnet, id) ?? fail("InvalidSubnetID.NotFound", `The subnet ID '${id}' does not exist`)
  );
}

/** Addresses of a subnet that nobody has: five are AWS's own. */
export function freeAddresses(context: Context, subnet: StoredResource): number {
  const size = sizeOf(parseBlock(subnet.attributes["cidrBlock"] as string)!);
  return size - 5 - addressesTaken(context, subnet.id).size;
}
